import type { ModelFamily } from '../pool/pool.ts'
import { answer } from './answers.ts'
import { geminiExhausted } from './exhausted.ts'
import { setBearer, setHeader } from './headers.ts'
import { afterDuration, retryAfter } from './hints.ts'
import type { Dialect } from './port.ts'
import { probeOf } from './probes.ts'
import {
  accountClosed,
  authRejected,
  byStatus,
  challenge,
  classifyResponse,
  decide,
  egressBlocked,
  type Hint,
  phrase,
  quota,
  rateLimited,
  type Table,
} from './rows.ts'
import { type Fields, fields, isFields, list, readJson, rootOf, type Signal, signalOfEvent, text } from './signal.ts'

const retryInfo = 'type.googleapis.com/google.rpc.RetryInfo'
const errorInfo = 'type.googleapis.com/google.rpc.ErrorInfo'

const hint: Hint = ({ error, header }, now) => {
  const delay = detailsOf(error).find((detail) => detail['@type'] === retryInfo)?.retryDelay
  return afterDuration(delay, now) ?? retryAfter(header, now)
}

/** SIGNALS, "Gemini API". The family is the request's: quotas name base models, which requests do not always use. */
const table: Table = {
  rows: [
    { code: ['API_KEY_INVALID'], means: authRejected },
    { code: ['CONSUMER_SUSPENDED'], means: accountClosed },
    { on: [403], says: /^Permission denied: Consumer \S+ has been suspended\b/, means: accountClosed },
    { on: [400], says: phrase('User location is not supported for the API use'), means: egressBlocked },
    {
      on: [429],
      when: lacksModel,
      means: { ...quota, reason: 'model-missing', scope: 'model', forMs: 12 * 3_600_000, hint: null },
    },
    {
      on: [429],
      when: (signal) => limitedPer(signal, 'PerDay'),
      means: { ...quota, reason: 'model-quota', scope: 'model' },
    },
    { on: [429], when: (signal) => limitedPer(signal, 'PerMinute'), means: { ...rateLimited, scope: 'model' } },
    { on: [429], code: ['RESOURCE_EXHAUSTED'], means: { ...rateLimited, scope: 'model', weak: true } },
    challenge,
    ...byStatus,
  ],
  hint,
  errorInOk: true,
}

/** The Gemini API, with keys and with Google logins. */
export const gemini: Dialect = {
  provider: 'gemini',
  defaultBaseUrl: 'https://generativelanguage.googleapis.com',
  keyHeaders: ['authorization', 'x-goog-api-key'],
  inject(headers, { secret, kind }) {
    if (kind === 'bearer-token') setBearer(headers, secret)
    else setHeader(headers, 'x-goog-api-key', secret)
  },
  model: (path, body) => modelInPath(path) ?? (text(fields(body).model) || null),
  modelInBody: false,
  errorInOk: table.errorInOk,
  classify: (facts, now) => classifyResponse(table, facts, now),
  classifyEvent(event, now) {
    const root = rootOf(readElement(event.data))
    return isFields(root.error) ? decide(table, signalOfEvent(root, root.error, false), now) : 'content'
  },
  error: ({ status, code, message, retryAfterSeconds }) => {
    const details: object[] = [{ '@type': errorInfo, reason: code, domain: 'spillway' }]
    if (retryAfterSeconds !== null) details.push(retryIn(retryAfterSeconds))
    return answer(status, { error: { code: status, status: statusName(status), message, details } }, retryAfterSeconds)
  },
  exhausted: geminiExhausted,
  probe: probeOf('/v1beta/models'),
  local: () => null,
}

function retryIn(seconds: number): object {
  return { '@type': retryInfo, retryDelay: `${Math.max(1, Math.ceil(seconds))}s` }
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

function detailsOf(error: Fields): readonly Fields[] {
  return list(error.details).map(fields)
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
