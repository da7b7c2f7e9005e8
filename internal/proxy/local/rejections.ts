import { STATUS_CODES } from 'node:http'
import type { LocalAnswer } from '../dialect/dialect.ts'
import { problem } from './excuses.ts'

const late = problem(408, 'request_timeout', 'The request did not come in time.')
const noHttp = problem(400, 'bad_request', 'This is not a valid HTTP request.')

/** What node's parser and its deadlines object to; whatever else they do is no HTTP. */
const answers: Readonly<Record<string, LocalAnswer>> = {
  HPE_HEADER_OVERFLOW: problem(431, 'headers_too_large', 'The head of the request is too long.'),
  HPE_CHUNK_EXTENSIONS_OVERFLOW: problem(413, 'bad_request', 'The chunk extensions are too long.'),
  ERR_HTTP_REQUEST_TIMEOUT: late,
}

/** Answers what does not become a request, as the bytes that are written; each answer ends its connection. */
export class Objections {
  readonly #marks: () => readonly string[]

  /** `marks` are the raw pairs that every answer carries. */
  constructor(marks: () => readonly string[]) {
    this.#marks = marks
  }

  /** To what cannot be read; `code` is node's word for why. */
  unreadable(code: string | undefined): string {
    return this.#text(answers[code ?? ''] ?? noHttp)
  }

  /** To a request that has not come in time. */
  late(): string {
    return this.#text(late)
  }

  #text({ status, headers, body }: LocalAnswer): string {
    let head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n`
    const pairs = [...this.#marks(), ...Object.entries(headers).flat(), 'content-length', String(body.length)]
    for (let at = 0; at < pairs.length; at += 2) head += `${pairs[at]}: ${pairs[at + 1]}\r\n`
    return `${head}\r\n${body}`
  }
}
