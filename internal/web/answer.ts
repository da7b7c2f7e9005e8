import type { IncomingMessage, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { Html } from './html.ts'

/** What a request is answered with. */
export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly type?: string
  readonly body: Html | string | Buffer
}

/**
 * On every answer. Nothing comes from elsewhere, nothing is inline, nobody may frame it, and nothing is kept: a page shows
 * the state of now, and what it shows is for the one who was let in.
 */
const guards: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
}

const worthPacking = 1_024
const packed = promisify(gzip)

/** Sets what every answer carries, also one that is a stream. */
export function guard(response: ServerResponse): void {
  for (const [name, value] of Object.entries(guards)) response.setHeader(name, value)
}

/** Sends the answer, packed where the client takes that and it is worth it. */
export async function send(request: IncomingMessage, response: ServerResponse, answer: Answer): Promise<void> {
  const { status, headers = {}, type = 'text/html; charset=utf-8', body } = answer
  const whole = Buffer.from(body instanceof Html ? body.text : body)
  const packs = whole.length > worthPacking && /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))
  const bytes = packs ? await packed(whole, { level: 5 }) : whole
  response.writeHead(status, {
    ...headers,
    'content-type': type,
    'content-length': bytes.length,
    vary: 'accept-encoding',
    ...(packs ? { 'content-encoding': 'gzip' } : {}),
  })
  response.end(request.method === 'HEAD' ? undefined : bytes)
}

/** Sends the browser to another page of ours. */
export function seeOther(location: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status: 303, headers: { ...headers, location }, type: 'text/plain; charset=utf-8', body: '' }
}
