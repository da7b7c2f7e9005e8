import { setBearer, setHeader } from './headers.ts'
import { modelInBody, openaiShaped } from './openai-shape.ts'
import { probeOf } from './probes.ts'

const versioned = probeOf('/openai/v1/models')
const dated = probeOf('/openai/models?api-version=2024-10-21')

/** Azure OpenAI: OpenAI's codes; the key in its own header, the model as a deployment in the path. */
export const azure = openaiShaped('azure', {
  defaultBaseUrl: null,
  keyHeaders: ['authorization', 'x-api-key', 'api-key'],
  rows: [],
  inject(headers, { secret, kind }) {
    if (kind === 'bearer-token') setBearer(headers, secret)
    else setHeader(headers, 'api-key', secret)
  },
  model(path, body) {
    const deployment = /\/deployments\/([^/?]+)/.exec(path)?.[1]
    return deployment ?? modelInBody(path, body)
  },
  // The versioned surface (`…/openai/v1`) wants no api-version.
  probe: (baseUrl, probePath) => (/\/v1\/*$/.test(baseUrl) ? versioned : dated)(baseUrl, probePath),
})
