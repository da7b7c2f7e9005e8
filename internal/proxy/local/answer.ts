import type { LocalAnswer } from '../../dialect/dialect.ts'
import type { OutgoingResponse } from '../../http1/http1.ts'

/** An answer of the proxy's own, ready to be written, also many times. */
export interface Prepared {
  readonly status: number
  /** Raw pairs, with the length. */
  readonly headers: readonly string[]
  /** The bytes of the body, one in each character. */
  readonly body: string
}

export function prepared({ status, headers, body }: LocalAnswer): Prepared {
  const bytes = Buffer.from(body).toString('latin1')
  const pairs = Object.entries(headers).flat()
  return { status, headers: [...pairs, 'content-length', String(bytes.length)], body: bytes }
}

/** Sends an answer of our own. `marks` are raw pairs to add; `close` ends the connection with it. */
export function sendPrepared(
  response: OutgoingResponse,
  answer: Prepared,
  marks: readonly string[],
  close: boolean,
): void {
  const headers = [...marks, ...answer.headers]
  if (close) headers.push('connection', 'close')
  response.writeHead(answer.status, headers).end(answer.body, 'latin1')
}

/** As `sendPrepared`, for an answer that is sent once. */
export function sendLocal(
  response: OutgoingResponse,
  answer: LocalAnswer,
  marks: readonly string[],
  close: boolean,
): void {
  sendPrepared(response, prepared(answer), marks, close)
}
