import { latest, latestExhausted, rateLimitWindows } from '../hints.ts'
import type { Profile } from '../profile.ts'
import { accountBilling, billing, type Hint, phrase, quota, type Row, rateLimited, requestFault } from '../rows.ts'
import { openaiHint } from '../shapes/openai.ts'
import { fields, headersOf, text } from '../signal.ts'

/** OpenRouter repeats its rate-limit headers in `error.metadata.headers`, also where an event has none of its own. */
const hint: Hint = (signal, now) => {
  const { header, headerNames } = headersOf(fields(signal.error.metadata).headers)
  return latest([openaiHint(signal, now), latestExhausted(rateLimitWindows(header, headerNames(), now))])
}

const rows: readonly Row[] = [
  { on: [402], says: phrase('fewer max_tokens'), means: requestFault },
  { code: ['openrouter_key_limit'], means: billing },
  { code: ['openrouter_credits'], means: accountBilling },
  { code: ['openrouter_free_tier_daily'], means: { ...quota, scope: 'domain' } },
  { code: ['openrouter_in_flight_budget'], means: rateLimited },
  { on: [403], says: phrase('Key limit exceeded'), means: billing },
  // The provider behind it is busy for this model; the key's other models are served.
  {
    on: [429],
    when: ({ error, message }) =>
      /\btemporarily rate-limited upstream\b/i.test(`${text(fields(error.metadata).raw)} ${message}`),
    means: { ...rateLimited, scope: 'model', weak: true },
  },
]

/** OpenRouter. */
export const openrouter: Profile = {
  provider: 'openrouter',
  offers: {
    // Its Anthropic-compatible endpoint is used with the Anthropic SDK.
    openai: {
      baseUrl: 'https://openrouter.ai/api',
      secretHeader: 'authorization',
      probe: '/v1/key',
      keyHeaders: ['authorization', 'x-api-key'],
    },
    anthropic: { baseUrl: 'https://openrouter.ai/api', secretHeader: 'authorization', probe: '/v1/key' },
  },
  rows,
  hint,
  errorInOk: true,
}
