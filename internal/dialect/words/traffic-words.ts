import { atCapacity, overloaded, phrase, type Row, rateLimited, upstreamError } from '../rows.ts'

const loads = [429, 498, 500, 502, 503, 529]

/** The upstream has too much to do. */
export const loadWords: readonly Row[] = [
  { code: ['model_at_capacity'], means: atCapacity },
  { says: phrase('model is at capacity'), means: atCapacity },
  {
    code: [
      'server_is_overloaded',
      'overloaded_error',
      'engine_overloaded_error',
      'model_overloaded',
      'ServerOverloaded',
      'queue_exceeded',
      'capacity_exceeded',
      'flex_capacity_error',
      'resource_unavailable',
      'service_tier_capacity_exceeded',
      'MODEL_CAPACITY_EXHAUSTED',
      'ModelNotReadyException',
      'ModelLoadingError',
    ],
    means: overloaded,
  },
  { code: ['slow_down'], when: ({ status }) => status === 503, means: overloaded },
  {
    on: loads,
    says: /\b(?:is|are) (?:currently |temporarily )*overloaded\b|\bModel service overloaded\b|\bserver overload\b|\bover capacity\b|\b(?:experiencing|currently) (?:very )?high (?:demand|traffic|load)\b|\bduring peak load\b|^(?:Service|Server|System) is too busy\b|^No capacity available\b|\bcapacity (?:is )?exceeded\b/i,
    means: overloaded,
  },
]

/** A limit on requests or tokens, told by a word. */
export const limitWords: readonly Row[] = [
  { on: [429], code: ['slow_down'], means: { ...rateLimited, reason: 'slow-down', forMs: 5_000 } },
  // OpenAI's word, and its limits are the organisation's.
  { on: [429], code: ['rate_limit_exceeded'], means: { ...rateLimited, scope: 'domain' } },
  {
    on: [429],
    code: /^(?:ratelimit(?!error)|throttling|toomany(?:tokens|requests(?=error))|tokenquota|requestquota|limitrequests|modelratelimit)/,
    means: rateLimited,
  },
  { code: ['base_resp 1002', 'base_resp 1039', 'base_resp 1041', 'base_resp 2045'], means: rateLimited },
]

/** Words that only repeat what a status says, for where there is none: inside a stream. */
export const vagueWords: readonly Row[] = [
  {
    on: [429],
    code: ['rate_limit_error', 'too_many_requests', 'requests', 'tokens'],
    means: { ...rateLimited, weak: true },
  },
  { on: [500], code: ['server_error', 'internal_error', 'api_error', 'timeout_error'], means: upstreamError },
]
