import { setBearer, setHeader } from '../headers.ts'
import type { Offer, Profile } from '../profile.ts'
import { dashscopeWords, siliconflowWords } from './china.ts'
import { commonWords } from './hosts.ts'
import { zaiLimits } from './zai.ts'

const offer: Offer = {
  baseUrl: null,
  secretHeader: 'authorization',
  // Without a path that is known to need nothing but the key, nobody can be tested.
  probe: null,
  keyHeaders: ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key'],
}

/** Any other HTTP API: what is common to all, and the words of others that cannot mean something else. */
export const generic: Profile = {
  provider: 'generic',
  offers: { openai: offer, anthropic: offer, gemini: offer },
  rows: [...commonWords, ...zaiLimits, ...dashscopeWords, ...siliconflowWords],
  errorInOk: true,
  inject(headers, { secret, header }) {
    if (header === null) setBearer(headers, secret)
    else setHeader(headers, header, secret)
  },
}
