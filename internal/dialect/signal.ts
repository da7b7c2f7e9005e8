import type { HeaderLookup } from './hints.ts'
import type { ResponseFacts } from './port.ts'

/** A JSON object as it came: every value has to be looked at before it is believed. */
export type Fields = Readonly<Record<string, unknown>>

/** What an upstream said when it refused: from a response, from an event of a stream or from a WebSocket frame. */
export interface Signal {
  /** null inside a stream that names no status. */
  readonly status: number | null
  readonly header: HeaderLookup
  readonly headerNames: () => readonly string[]
  readonly oauth: boolean
  /** The body as it came, empty when there is none. */
  readonly text: string
  /** The parsed body; empty when it is not JSON. */
  readonly root: Fields
  /** The error object of the body; empty when the body is not JSON or has none. */
  readonly error: Fields
  /** Every word and number that names an error, as `wordOf` spells it. */
  readonly codes: ReadonlySet<string>
  /** The sentence for people; empty when there is none. */
  readonly message: string
}

/** Sentences are short; what is longer is somebody's text, quoted. */
const longestMessage = 4_000

/** The parsed JSON, or null when the text is not JSON. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** The value as an object; empty when it is none. */
export function fields(value: unknown): Fields {
  return isFields(value) ? value : {}
}

/** Whether the value is a JSON object (an array is none). */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value as a list; empty when it is none. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** The value as text; empty when it is none. */
export function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** A number or a text as text; empty for anything else, which might not even convert. */
function scalar(value: unknown): string {
  return typeof value === 'number' ? String(value) : text(value)
}

/** A code as it is compared: `AccountQuotaExceeded`, `account_quota_exceeded` and `account-quota-exceeded` are one word. */
export function wordOf(code: string): string {
  return code.toLowerCase().replace(/[^a-z0-9]/g, '')
}

/** The object of a body; of an array (Gemini without SSE) its first element that has an error. */
export function rootOf(value: unknown): Fields {
  return fields(Array.isArray(value) ? value.find((element) => isFields(element) && 'error' in element) : value)
}

/** MiniMax's result, when it is a failure: `base_resp` stands in every answer, with 0 where all is well. */
export function failedResult(root: Fields): Fields | null {
  const result = fields(root.base_resp)
  return Number(scalar(result.status_code) || 0) > 0 ? result : null
}

/** Words one of which stands in every event that is a failure; `resultToo`: failures may come as MiniMax's result. */
export function failureWords(resultToo: boolean): readonly string[] {
  return resultToo ? ['error', 'base_resp'] : ['error']
}

/** The signal of a whole response; an error under a 2xx status names its own. */
export function signalOfResponse(facts: ResponseFacts): Signal {
  const body = facts.body ?? ''
  const root = rootOf(readJson(body))
  const status = facts.status < 300 ? statusIn(root, fields(root.error)) : facts.status
  const header: HeaderLookup = (name) => facts.header(name)
  return signalOf({ status, header, headerNames: () => facts.headerNames(), oauth: facts.oauth, text: body }, root)
}

/** The signal of an error inside a stream or of a WebSocket frame, which may carry its own status and headers. */
export function signalOfEvent(root: Fields, error: Fields, oauth: boolean): Signal {
  const status = statusIn(root, error)
  return signalOf({ status, ...headersOf(root.headers), oauth, text: '' }, { ...root, error })
}

function statusIn(root: Fields, error: Fields): number | null {
  const said = [root.status, root.status_code, error.status, error.code, root.code].map((value) =>
    Number(scalar(value)),
  )
  return said.find((number) => number >= 400 && number < 600) ?? null
}

/** A header lookup over a JSON object of headers (WebSocket frames, OpenRouter's metadata). */
export function headersOf(value: unknown): Pick<Signal, 'header' | 'headerNames'> {
  const headers = new Map(Object.entries(fields(value)).map(([name, field]) => [name.toLowerCase(), scalar(field)]))
  return { header: (name) => headers.get(name), headerNames: () => [...headers.keys()] }
}

type Envelope = Pick<Signal, 'status' | 'header' | 'headerNames' | 'oauth' | 'text'>

function signalOf(envelope: Envelope, root: Fields): Signal {
  const error = fields(root.error)
  const message = messageOf(root, error)
  return { ...envelope, root, error, codes: codesOf(envelope.header, root, { error, message }), message }
}

/** Where providers put their sentence. */
function messageOf(root: Fields, error: Fields): string {
  const { detail } = root
  const places = [
    error.message,
    root.message,
    root.Message,
    fields(root.base_resp).status_msg,
    root.error,
    detail,
    fields(detail).message,
    root.msg,
    root.title,
  ]
  return (places.map(text).find((sentence) => sentence !== '') ?? '').slice(0, longestMessage)
}

/**
 * Where providers put their codes: beside the message or at the root, in OpenAI's `type` and `code`, in Google's and
 * Anthropic's `details`, in FastAPI's `detail`, in Amazon's header, in MiniMax's `base_resp` (numbers, which get that name
 * as a prefix) or in brackets at the end of the sentence.
 */
function codesOf(
  header: HeaderLookup,
  root: Fields,
  { error, message }: { error: Fields; message: string },
): ReadonlySet<string> {
  const detail = fields(root.detail)
  const details = fields(error.details)
  const named = [
    ...[root.error, root.code, root.type, root.status, root.reason],
    ...[error.type, error.code, error.status, error.reason, error.error_code, fields(error.innererror).code],
    ...[detail.code, detail.type, details.error_code, details.code, fields(error.metadata).limit_source],
    ...list(error.details).map((element) => fields(element).reason),
  ]
  const amazon = (header('x-amzn-errortype') ?? text(root.__type)).replace(/^.*#|:.*$/g, '')
  const result = failedResult(root)
  const bracketed = /\((\d{4})\)$/.exec(message)?.[1]
  const numbers = [result === null ? '' : scalar(result.status_code), bracketed ?? ''].filter((number) => number !== '')
  const all = [...named.map(scalar), amazon, ...numbers.map((number) => `base_resp ${number}`)]
  return new Set(all.map(wordOf).filter((code) => code !== ''))
}
