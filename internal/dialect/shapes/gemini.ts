import type { ModelFamily } from '../../pool/pool.ts'
import { answer } from '../answers.ts'
import { geminiExhausted } from '../exhausted.ts'
import { afterDuration, atDate, latest, retryAfter } from '../hints.ts'
import { injectInto, probeFor } from '../offer.ts'
import type { Dialect } from '../port.ts'
import type { Offer, Profile } from '../profile.ts'
import { classifyResponse, decide, type Hint, tableOf } from '../rows.ts'
import { type Fields, failureWords, fields, isFields, list, readJson, rootOf, signalOfEvent, text } from '../signal.ts'
import { inOrder } from '../words/words.ts'
import { isEmptyChunk, isEmptyElement } from './empty.ts'

const retryInfo = 'type.googleapis.com/google.rpc.RetryInfo'
const errorInfo = 'type.googleapis.com/google.rpc.ErrorInfo'

/** The latest of Google's details (RetryInfo, `quotaResetDelay`, `quotaResetTimeStamp`), else Retry-After. */
export const googleHint: Hint = ({ error, header }, now) => {
  const told = detailsOf(error).flatMap(({ '@type': type, retryDelay, metadata }) => {
    const { quotaResetDelay, quotaResetTimeStamp } = fields(metadata)
    const delays = [type === retryInfo ? retryDelay : null, quotaResetDelay]
    return [...delays.map((delay) => afterDuration(delay, now)), atDate(quotaResetTimeStamp, now)]
  })
  return latest(told) ?? retryAfter(header, now)
}

/** A dialect with Google's bodies: errors, streams, exhaustion, the model in the path or in the body. */
export function geminiShaped(profile: Profile, offer: Offer): Dialect {
  const { hint = googleHint, zone = null, errorInOk = true } = profile
  const table = tableOf(inOrder(profile), { hint, zone, errorInOk })
  return {
    provider: profile.provider,
    shape: 'gemini',
    defaultBaseUrl: offer.baseUrl,
    keyHeaders: offer.keyHeaders ?? ['authorization', 'x-goog-api-key'],
    inject: profile.inject ?? injectInto(offer.secretHeader),
    model: profile.model ?? modelOf,
    errorInOk,
    failureWords: failureWords(false),
    classify: (facts, now) => classifyResponse(table, facts, now),
    classifyEvent(event, now, oauth = false) {
      const root = rootOf(readElement(event.data))
      if (isFields(root.error)) return decide(table, signalOfEvent(root, root.error, oauth), now)
      return isEmptyElement(root) || isEmptyChunk(root) ? 'lifecycle' : 'content'
    },
    error: ({ status, code, message, retryAfterSeconds }) => {
      const details: object[] = [{ '@type': errorInfo, reason: code, domain: 'spillway' }]
      if (retryAfterSeconds !== null) details.push(retryIn(retryAfterSeconds))
      return answer(
        status,
        { error: { code: status, status: statusName(status), message, details } },
        retryAfterSeconds,
      )
    },
    exhausted: geminiExhausted,
    probe: probeFor(offer),
    local: () => null,
  }
}

function retryIn(seconds: number): object {
  return { '@type': retryInfo, retryDelay: `${Math.max(1, Math.ceil(seconds))}s` }
}

/** The model of the path; else of the body, where Gemini logins (`/v1internal:…`) and `/v1beta/openai/…` have it. */
export function modelOf(path: string, body: unknown): ModelFamily | null {
  return modelInPath(path) ?? (text(fields(body).model).replace(/^models\//, '') || null)
}

/** `gemini-2.5-pro` of `/v1beta/models/gemini-2.5-pro:generateContent`, `tunedModels/x` of a tuned one, however it is encoded. */
function modelInPath(path: string): ModelFamily | null {
  const plain = path
    .replace(/[?#].*$/, '')
    .replace(/%2f/gi, '/')
    .replace(/%3a/gi, ':')
  const [, collection, name] = /(?:^|\/)(models|tunedModels)\/([^/:]+)/.exec(plain) ?? []
  if (name === undefined) return null
  return collection === 'models' ? name : `${collection}/${name}`
}

/** One element of a JSON array may arrive with the array's brackets and commas around it. */
function readElement(data: string): unknown {
  return readJson(data) ?? readJson(data.replace(/^[\s,[]+/, '').replace(/[\s,\]]+$/, ''))
}

/** The elements of Google's `details`. */
export function detailsOf(error: Fields): readonly Fields[] {
  return list(error.details).map(fields)
}

function statusName(status: number): string {
  switch (status) {
    case 401:
      return 'UNAUTHENTICATED'
    case 403:
      return 'PERMISSION_DENIED'
    case 404:
      return 'NOT_FOUND'
    case 429:
      return 'RESOURCE_EXHAUSTED'
    case 503:
      return 'UNAVAILABLE'
    case 504:
      return 'DEADLINE_EXCEEDED'
    default:
      return status < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL'
  }
}
