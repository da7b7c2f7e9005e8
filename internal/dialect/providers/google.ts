import type { At } from '../../pool/pool.ts'
import { latest } from '../hints.ts'
import type { Profile } from '../profile.ts'
import { accountClosed, authRejected, type Hint, modelMissing, modelQuota, type Row, rateLimited } from '../rows.ts'
import { detailsOf, googleHint, modelOf } from '../shapes/gemini.ts'
import { type Fields, fields, list, type Signal, text } from '../signal.ts'
import { pacificMidnight } from '../zones.ts'

const hourMs = 3_600_000

/** A day's quota lasts to midnight in California and at least 1 h, whatever a short delay of another window says. */
const dayHint: Hint = (signal, now) => latest([midnight(now), googleHint(signal, now)])

function midnight(now: At): At {
  return Math.max(pacificMidnight(now), now + hourMs)
}

/** Google's own words. The family is the request's: quotas name base models, which requests do not always use. */
const rows: readonly Row[] = [
  // The key is not for where it is used from; a client or a passing address may be the cause.
  {
    code: [
      'API_KEY_IP_ADDRESS_BLOCKED',
      'API_KEY_HTTP_REFERRER_BLOCKED',
      'API_KEY_ANDROID_APP_BLOCKED',
      'API_KEY_IOS_APP_BLOCKED',
    ],
    means: { ...authRejected, weak: true },
  },
  { code: ['CONSUMER_INVALID'], means: accountClosed },
  {
    on: [403],
    says: /^Permission denied: Consumer \S+ has been suspended\b|^Your project has been denied access\b/,
    means: accountClosed,
  },
  { on: [429], when: lacksModel, means: modelMissing },
  { on: [429], when: (signal) => limitedPer(signal, 'PerDay'), means: { ...modelQuota, hint: dayHint } },
  { on: [429], when: (signal) => limitedPer(signal, 'PerMinute'), means: { ...rateLimited, scope: 'model' } },
  { on: [429], code: ['QUOTA_EXHAUSTED'], means: modelQuota },
  { on: [429], says: /^You have exhausted your capacity on this model\b/, means: modelQuota },
  {
    on: [429],
    code: ['RATE_LIMIT_EXCEEDED'],
    when: ({ codes }) => codes.has('resourceexhausted'),
    means: { ...rateLimited, scope: 'model' },
  },
]

const statuses: readonly Row[] = [
  { on: [429], code: ['RESOURCE_EXHAUSTED'], means: { ...rateLimited, scope: 'model', weak: true } },
]

const google = { rows, statuses, hint: googleHint, model: modelOf, errorInOk: true }

/** The Gemini API with keys and with Google logins, and its endpoint for OpenAI's clients. */
export const gemini: Profile = {
  ...google,
  provider: 'gemini',
  offers: {
    gemini: {
      baseUrl: 'https://generativelanguage.googleapis.com',
      secretHeader: 'x-goog-api-key',
      probe: '/v1beta/models',
    },
    openai: {
      baseUrl: 'https://generativelanguage.googleapis.com/v1beta/openai',
      secretHeader: 'authorization',
      probe: '/v1/models',
    },
  },
}

/** Vertex AI: Google's models, others behind OpenAI's shape, Claude behind Anthropic's. */
export const vertex: Profile = {
  ...google,
  provider: 'vertex',
  offers: {
    gemini: {
      baseUrl: 'https://aiplatform.googleapis.com',
      secretHeader: 'x-goog-api-key',
      probe: '/v1/publishers/google/models',
    },
    openai: { baseUrl: null, secretHeader: 'authorization', probe: null },
    anthropic: { baseUrl: 'https://aiplatform.googleapis.com', secretHeader: 'x-goog-api-key', probe: null },
  },
}

function violationsOf({ error }: Signal): readonly Fields[] {
  return detailsOf(error).flatMap((detail) => list(detail.violations).map(fields))
}

function limitedPer(signal: Signal, span: string): boolean {
  return violationsOf(signal).some((violation) => text(violation.quotaId).includes(span))
}

/** The account's limit for this model is 0: waiting does not help. */
function lacksModel(signal: Signal): boolean {
  return /\blimit: 0(?![\d.])/.test(signal.message) || violationsOf(signal).some(({ quotaValue }) => quotaValue === '0')
}
