import { latest, latestExhausted, rateLimitWindows } from './hints.ts'
import { openaiHint, openaiShaped } from './openai-shape.ts'
import { probeOf } from './probes.ts'
import { billing, type Hint, phrase, quota, type Row, rateLimited, requestFault } from './rows.ts'
import { fields, headersOf } from './signal.ts'

/** OpenRouter repeats its rate-limit headers in `error.metadata.headers`, also where an event has none of its own. */
const hint: Hint = (signal, now) => {
  const { header, headerNames } = headersOf(fields(signal.error.metadata).headers)
  return latest([openaiHint(signal, now), latestExhausted(rateLimitWindows(header, headerNames(), now))])
}

const limitedBy =
  (source: string): NonNullable<Row['when']> =>
  ({ error }) =>
    fields(error.metadata).limit_source === source

/** OpenRouter; SIGNALS, "OpenRouter, Azure OpenAI, generic". */
export const openrouter = openaiShaped('openrouter', {
  defaultBaseUrl: 'https://openrouter.ai/api',
  // Its Anthropic-compatible endpoint is used with the Anthropic SDK.
  keyHeaders: ['authorization', 'x-api-key'],
  rows: [
    { on: [402], says: phrase('fewer max_tokens'), means: requestFault },
    { when: limitedBy('openrouter_key_limit'), means: billing },
    { when: limitedBy('openrouter_credits'), means: { ...billing, scope: 'domain' } },
    { when: limitedBy('openrouter_free_tier_daily'), means: { ...quota, scope: 'domain' } },
    { when: limitedBy('openrouter_in_flight_budget'), means: rateLimited },
    { on: [403], says: phrase('Key limit exceeded'), means: billing },
  ],
  hint,
  errorInOk: true,
  probe: probeOf('/v1/key'),
})
