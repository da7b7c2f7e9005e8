import { setBearer, setHeader } from '../headers.ts'
import { probeFor } from '../offer.ts'
import type { Offer, Profile } from '../profile.ts'
import { rateLimited } from '../rows.ts'
import { modelInBody } from '../shapes/openai.ts'

const openai: Offer = {
  baseUrl: null,
  secretHeader: 'api-key',
  probe: '/openai/models?api-version=2024-10-21',
  keyHeaders: ['authorization', 'x-api-key', 'api-key'],
}

const dated = probeFor(openai)
const versioned = probeFor({ ...openai, probe: '/openai/v1/models' })

/** Azure OpenAI: OpenAI's codes; the key in its own header, limits of a deployment, which the path names. */
export const azure: Profile = {
  provider: 'azure',
  offers: { openai, anthropic: { baseUrl: null, secretHeader: 'x-api-key', probe: null } },
  statuses: [{ on: [429], means: { ...rateLimited, scope: 'model', weak: true } }],
  inject(headers, { secret, kind }) {
    if (kind === 'bearer-token') setBearer(headers, secret)
    else setHeader(headers, 'api-key', secret)
  },
  model(path, body) {
    const deployment = /\/deployments\/([^/?]+)/.exec(path)?.[1]
    return deployment ?? modelInBody(path, body)
  },
  // The versioned surface (`…/openai/v1`) wants no api-version.
  findProbe: (baseUrl, probePath) => (/\/v1\/*$/.test(baseUrl) ? versioned : dated)(baseUrl, probePath),
}
