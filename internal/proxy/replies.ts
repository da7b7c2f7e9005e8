import type { IncomingMessage, ServerResponse } from 'node:http'
import type { LocalAnswer } from '../dialect/dialect.ts'
import type { RequestBody } from './body.ts'
import type { Frame } from './framing.ts'

/** What is left unread of a refused request's body before its connection is closed instead, in bytes. */
const mostDiscarded = 1_048_576

/** Sends an answer of our own. `marks` are raw pairs to add; `close` ends the connection with it. */
export function sendLocal(
  response: ServerResponse,
  answer: LocalAnswer,
  marks: readonly string[],
  close: boolean,
): void {
  const body = Buffer.from(answer.body)
  const headers = [...marks]
  for (const [name, value] of Object.entries(answer.headers)) headers.push(name, value)
  headers.push('content-length', String(body.length))
  if (close) headers.push('connection', 'close')
  response.writeHead(answer.status, headers).end(body)
}

/** Whether closing the connection beats reading what has not come of a body of this frame. */
export function isLongUnread(request: IncomingMessage, { length }: Frame): boolean {
  return !request.complete && (length === null || length > mostDiscarded)
}

/** Whether part of a body is still on its way, so that the connection cannot be used again after an answer. */
export function isUnfinished(body: RequestBody, request: IncomingMessage): boolean {
  return !body.held && !request.complete
}
