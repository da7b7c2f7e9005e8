import { setBearer, setHeader } from './headers.ts'
import { openaiShaped } from './openai-shape.ts'
import { quota } from './rows.ts'

/** Any other HTTP API: what is common to all, and OpenAI's codes where it uses them. */
export const generic = openaiShaped('generic', {
  defaultBaseUrl: null,
  keyHeaders: ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key'],
  rows: [{ on: [403], code: ['insufficient_quota', 'quota_exceeded', 'rate_limit_exceeded'], means: quota }],
  inject(headers, { secret, header }) {
    if (header === null) setBearer(headers, secret)
    else setHeader(headers, header, secret)
  },
  // Without a path that is known to need nothing but the key, nobody can be tested.
  probe: (_baseUrl, probePath) => (probePath === null ? null : { method: 'GET', path: probePath }),
})
