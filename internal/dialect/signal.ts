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
  /** The error object of the body; empty when the body is not JSON or has none. */
  readonly error: Fields
  /** Every word of the parsed body that names an error. */
  readonly codes: ReadonlySet<string>
  /** The sentence: `error.message`, `message` or `detail`; empty when there is none. */
  readonly message: string
}

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

/** The object of a body; of an array (Gemini without SSE) its first element that has an error. */
export function rootOf(value: unknown): Fields {
  return fields(Array.isArray(value) ? value.find((element) => isFields(element) && 'error' in element) : value)
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
  const said = [root.status, root.status_code, error.status, error.code].map((value) => Number(scalar(value)))
  return said.find((number) => number >= 400 && number < 600) ?? null
}

/** A header lookup over a JSON object of headers (WebSocket frames, OpenRouter's metadata). */
export function headersOf(value: unknown): Pick<Signal, 'header' | 'headerNames'> {
  const headers = new Map(Object.entries(fields(value)).map(([name, field]) => [name.toLowerCase(), scalar(field)]))
  return { header: (name) => headers.get(name), headerNames: () => [...headers.keys()] }
}

type Envelope = Pick<Signal, 'status' | 'header' | 'headerNames' | 'oauth' | 'text'>

function signalOf({ status, header, headerNames, oauth, text: body }: Envelope, root: Fields): Signal {
  const error = fields(root.error)
  const message = text(error.message) || text(root.message) || text(root.detail)
  return { status, header, headerNames, oauth, text: body, error, codes: codesOf(root, error), message }
}

/** Where providers put their codes: `error.type`, `error.code`, `error.status`, `detail.code`, Google's and Anthropic's `details`. */
function codesOf(root: Fields, error: Fields): ReadonlySet<string> {
  const detail = fields(root.detail)
  const details = fields(error.details)
  const reasons = list(error.details).map((element) => fields(element).reason)
  const named = [root.error, root.code, error.type, error.code, error.status, error.reason, error.error_code]
  const all = [...named, detail.code, detail.type, details.error_code, details.code, ...reasons]
  return new Set(all.map(text).filter((code) => code !== ''))
}
