import type { At, ModelFamily } from '../../pool/pool.ts'
import { answer } from '../answers.ts'
import { openaiExhausted } from '../exhausted.ts'
import { bodyReset, latest, latestExhausted, rateLimitWindows, retryAfter } from '../hints.ts'
import { injectInto, probeFor } from '../offer.ts'
import type { Dialect, EventMeaning, LocalAnswer, LocalError, StreamEvent } from '../port.ts'
import type { Offer, Profile } from '../profile.ts'
import { classifyResponse, decide, type Hint, type Table, tableOf } from '../rows.ts'
import {
  type Fields,
  failedResult,
  failureWords,
  fields,
  isFields,
  readJson,
  rootOf,
  signalOfEvent,
  text,
} from '../signal.ts'
import { inOrder } from '../words/words.ts'
import { isEmptyChunk, isNothing } from './empty.ts'

/** `resets_at` or `resets_in_seconds` of the body, else the latest of Retry-After and the exhausted windows. */
export const openaiHint: Hint = ({ error, header, headerNames }, now) =>
  bodyReset(error, now) ??
  latest([retryAfter(header, now), latestExhausted(rateLimitWindows(header, headerNames(), now))])

/** Events that say nothing yet: overload really arrives after them. */
const lifecycle = /^(?:response\.(?:created|in_progress|queued|metadata)|codex\..+|keepalive|ping)$/

/** A dialect with OpenAI's bodies: errors, streams, exhaustion, the model in the body. */
export function openaiShaped(profile: Profile, offer: Offer): Dialect {
  const { hint = openaiHint, zone = null, errorInOk = false } = profile
  const table = tableOf(inOrder(profile), { hint, zone, errorInOk })
  return {
    provider: profile.provider,
    shape: 'openai',
    defaultBaseUrl: offer.baseUrl,
    keyHeaders: offer.keyHeaders ?? ['authorization'],
    inject: profile.inject ?? injectInto(offer.secretHeader),
    model: profile.model ?? modelInBody,
    errorInOk,
    failureWords: failureWords(errorInOk),
    classify: (facts, now) => classifyResponse(table, facts, now),
    classifyEvent: (event, now, oauth = profile.oauth ?? false) => classifyEvent(table, event, { oauth, now }),
    error,
    exhausted: openaiExhausted,
    probe: profile.findProbe ?? probeFor(offer),
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
  if (lifecycle.test(type) || isEmptyPart(type, root)) return 'lifecycle'
  const failure = failureIn(type, root)
  if (failure === null) return isEmptyChunk(root) ? 'lifecycle' : 'content'
  return decide(table, signalOfEvent(root, failure, at.oauth), at.now)
}

/** The error object of an event: of `response.failed`, of `error` (wrapped or not), or of a chat completion's chunk. */
function failureIn(type: string, root: Fields): Fields | null {
  if (type === 'response.failed') return fields(fields(root.response).error)
  if (type === 'error') return isFields(root.error) ? root.error : root
  if (isFields(root.error)) return root.error
  return failedResult(root) === null ? null : {}
}

/** An item or part of an answer that has been opened and holds nothing to read yet (its sealed state is none), or grows by nothing. */
function isEmptyPart(type: string, root: Fields): boolean {
  if (type === 'response.output_item.added') {
    const { content, summary, arguments: sent, input } = fields(root.item)
    return isFields(root.item) && [content, summary, sent, input].every(isNothing)
  }
  if (type === 'response.content_part.added') return isFields(root.part) && isNothing(root.part.text)
  return root.delta === '' && type.endsWith('.delta')
}

function error({ status, code, message, retryAfterSeconds }: LocalError): LocalAnswer {
  const type = status === 429 ? 'rate_limit_error' : status < 500 ? 'invalid_request_error' : 'server_error'
  const param = code === 'previous_response_not_found' ? 'previous_response_id' : null
  return answer(status, { error: { message, type, code, param } }, retryAfterSeconds)
}
