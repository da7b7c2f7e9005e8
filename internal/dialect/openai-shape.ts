import type { At, ModelFamily } from '../pool/pool.ts'
import { answer } from './answers.ts'
import { openaiExhausted } from './exhausted.ts'
import { setBearer } from './headers.ts'
import { bodyReset, latest, latestExhausted, rateLimitWindows, retryAfter } from './hints.ts'
import type { Dialect, EventMeaning, LocalAnswer, LocalError, StreamEvent } from './port.ts'
import {
  accountClosed,
  atCapacity,
  authExpired,
  authRejected,
  billing,
  byStatus,
  challenge,
  classifyResponse,
  decide,
  egressBlocked,
  type Hint,
  overloaded,
  phrase,
  quota,
  type Row,
  rateLimited,
  requestFault,
  type Table,
  upstreamError,
} from './rows.ts'
import { type Fields, fields, isFields, readJson, rootOf, signalOfEvent, text } from './signal.ts'

/** What every API of OpenAI's shape means by its codes, whatever the status. */
const openaiCodes: readonly Row[] = [
  {
    code: ['context_length_exceeded', 'previous_response_not_found', 'cyber_policy'],
    means: requestFault,
  },
  { code: ['invalid_encrypted_content'], means: { ...requestFault, reason: 'foreign-state' } },
  { code: ['model_at_capacity'], means: atCapacity },
  { says: phrase('model is at capacity'), means: atCapacity },
  // The request alone exceeds the limit: no other member could serve it.
  { on: [429], code: ['rate_limit_exceeded'], says: /^Request too large\b/i, means: requestFault },
  { code: ['usage_limit_reached'], means: quota },
  { code: ['insufficient_quota', 'credit_balance_exhausted'], means: { ...billing, scope: 'domain' } },
  { code: /_(?:spend|usage)_limit_exceeded$/, means: { ...billing, scope: 'domain' } },
  { on: [400], code: ['billing_hard_limit_reached'], means: { ...billing, scope: 'domain' } },
  { on: [429], code: ['slow_down'], means: { ...rateLimited, reason: 'slow-down', forMs: 5_000 } },
  { on: [429], code: ['rate_limit_exceeded'], means: { ...rateLimited, scope: 'domain' } },
  { code: ['account_deactivated'], means: accountClosed },
  { code: ['invalid_api_key'], when: ({ oauth }) => oauth, means: authExpired },
  { code: ['invalid_api_key'], means: authRejected },
  { code: ['ip_not_authorized', 'unsupported_country_region_territory'], means: egressBlocked },
  { code: ['server_is_overloaded'], means: overloaded },
  {
    on: [401],
    says: /\bIP(?: address)? (?:is )?not (?:authori[sz]ed|allowed)\b|\bIP allowlist\b/i,
    means: egressBlocked,
  },
  { on: [403], says: phrase('Country, region, or territory not supported'), means: egressBlocked },
  // Inside a stream, where no status says it.
  { on: [429], code: ['rate_limit_error', 'requests', 'tokens'], means: { ...rateLimited, weak: true } },
  { on: [500], code: ['server_error', 'internal_error'], means: upstreamError },
]

/** `resets_at` or `resets_in_seconds` of the body, else the latest of Retry-After and the exhausted windows. */
export const openaiHint: Hint = ({ error, header, headerNames }, now) =>
  bodyReset(error, now) ??
  latest([retryAfter(header, now), latestExhausted(rateLimitWindows(header, headerNames(), now))])

/** Events that say nothing yet: overload really arrives after them. */
const lifecycle = new Set([
  'response.created',
  'response.in_progress',
  'response.queued',
  'codex.rate_limits',
  'keepalive',
  'ping',
])

/** What is the provider's own in a dialect of OpenAI's shape. */
export interface Particulars {
  readonly defaultBaseUrl: string | null
  readonly keyHeaders: readonly string[]
  /** The provider's own rows, looked at before those that all share. */
  readonly rows: readonly Row[]
  /** What a status alone means here, looked at after the codes. */
  readonly statuses?: readonly Row[]
  readonly hint?: Hint
  readonly errorInOk?: boolean
  /** Whether a credential is an OAuth token, where an event does not say. */
  readonly oauth?: boolean
  readonly inject?: Dialect['inject']
  readonly model?: Dialect['model']
  readonly probe: Dialect['probe']
}

/** A dialect with OpenAI's bodies: errors, streams, exhaustion, the model in the body. */
export function openaiShaped(provider: Dialect['provider'], own: Particulars): Dialect {
  const table: Table = {
    rows: [...own.rows, ...openaiCodes, challenge, ...(own.statuses ?? []), ...byStatus],
    hint: own.hint ?? openaiHint,
    errorInOk: own.errorInOk ?? false,
  }
  return {
    provider,
    defaultBaseUrl: own.defaultBaseUrl,
    keyHeaders: own.keyHeaders,
    inject: own.inject ?? ((headers, { secret }) => setBearer(headers, secret)),
    model: own.model ?? modelInBody,
    modelInBody: true,
    errorInOk: table.errorInOk,
    classify: (facts, now) => classifyResponse(table, facts, now),
    classifyEvent: (event, now) => classifyEvent(table, event, { oauth: own.oauth ?? false, now }),
    error,
    exhausted: openaiExhausted,
    probe: own.probe,
    local: () => null,
  }
}

/** `model` of a parsed body. */
export function modelInBody(_path: string, body: unknown): ModelFamily | null {
  return text(fields(body).model) || null
}

function classifyEvent(table: Table, event: StreamEvent, at: { oauth: boolean; now: At }): EventMeaning {
  const root = rootOf(readJson(event.data))
  const type = text(root.type) || (event.event ?? '')
  if (lifecycle.has(type)) return 'lifecycle'
  const failure = failureIn(type, root)
  return failure === null ? 'content' : decide(table, signalOfEvent(root, failure, at.oauth), at.now)
}

/** The error object of an event: of `response.failed`, of `error` (wrapped or not), or of a chat completion's chunk. */
function failureIn(type: string, root: Fields): Fields | null {
  if (type === 'response.failed') return fields(fields(root.response).error)
  if (type === 'error') return isFields(root.error) ? root.error : root
  return isFields(root.error) ? root.error : null
}

function error({ status, code, message, retryAfterSeconds }: LocalError): LocalAnswer {
  const type = status === 429 ? 'rate_limit_error' : status < 500 ? 'invalid_request_error' : 'server_error'
  return answer(status, { error: { message, type, code, param: null } }, retryAfterSeconds)
}
