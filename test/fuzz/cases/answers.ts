import type { Plan } from './case.ts'
import type { Random } from './random.ts'

/** What an answer is made for. */
export interface Asked {
  readonly method: string
  readonly nonce: string
  /** Of the request. */
  readonly body: string
}

/** Where an answer is made. */
export interface Place {
  readonly random: Random
  mayMove: boolean
}

type Framing = 'length' | 'chunks' | 'close'

export interface Answer {
  readonly status: number
  readonly body: string
  readonly framing: Framing
  readonly headers?: readonly string[]
}

/** Every secret of the stage's credentials begins so, and has this length; what an upstream repeats of it is to be masked. */
export const secretPrefix = 'upstream-secret-'
export const secretLength = 34

/** The pool of a credential, by its secret; empty when it is no secret of the stage. */
export function poolOf(secret: string): string {
  return secret.startsWith(secretPrefix)
    ? secret.slice(secretPrefix.length, secret.indexOf('-', secretPrefix.length))
    : ''
}

/** Stands for the secret that a request came with: a character for each of its own, wherever an answer is cut. */
export const placeholder = String.fromCharCode(...Array.from({ length: secretLength }, (_, at) => 0x80 + at))
const inPlaceholder = /[\x80-\xa1]/g

/** An answer with the secret in its place. */
export function filled(text: string, secret: string): string {
  return text.replace(inPlaceholder, (each) => secret[each.charCodeAt(0) - 0x80] ?? each)
}

/** An answer as a client may see it: the secret masked, star by star. */
export function masked(text: string): string {
  return text.replace(inPlaceholder, '*')
}

/** Answers begin with the nonce of their request, so that nobody else's can pass for it. */
export function headOf({ status, framing, body, headers = [] }: Answer, { nonce }: Asked): string {
  const lines = [`HTTP/1.1 ${status} Said`, `X-Nonce: ${nonce}`, 'Content-Type: text/plain', ...headers]
  if (framing === 'length') lines.push(`Content-Length: ${body.length}`)
  else if (framing === 'chunks') lines.push('Transfer-Encoding: chunked')
  else lines.push('Connection: close')
  return `${lines.join('\r\n')}\r\n\r\n`
}

/** The body in its frame. */
export function framed(random: Random, { framing, body }: Answer): string {
  if (framing !== 'chunks') return body
  let text = ''
  for (let at = 0; at < body.length; ) {
    const chunk = body.slice(at, at + random.between(1, Math.max(1, body.length)))
    text += `${chunk.length.toString(16)}\r\n${chunk}\r\n`
    at += chunk.length
  }
  return `${text}0\r\n\r\n`
}

export const bodyless = (asked: Asked, status: number) => asked.method === 'HEAD' || status === 204 || status === 304

/** An answer of any sort. */
export function answerFor(random: Random, asked: Asked): Answer {
  const status = random.weighted([
    [16, 200],
    [2, 201],
    [1, 204],
    [1, 304],
    [1, 400],
    [1, 404],
    [1, 422],
    [1, 500],
  ])
  const length = random.weighted([
    [3, 0],
    [10, random.between(1, 400)],
    [2, random.between(401, 20_000)],
    [1, random.between(20_001, 90_000)],
  ])
  const framing = random.weighted<Framing>([
    [6, 'length'],
    [3, 'chunks'],
    [1, 'close'],
  ])
  const body = bodyless(asked, status) ? '' : `${asked.nonce}:${random.text(length)}`
  return {
    status,
    body,
    framing: status === 204 || status === 304 ? 'length' : framing,
    headers: status === 204 ? [] : [],
  }
}

/** Text in pieces, cut at a few places or not at all. */
export function pieces(random: Random, text: string, most = 3): string[] {
  const places = [...random.cuts(text.length, random.chance(0.6) ? 0 : random.between(1, most)), text.length]
  let from = 0
  return places.map((to) => {
    const piece = text.slice(from, to)
    from = to
    return piece
  })
}

/** Makes an upstream's script for one attempt. */
export type Make = (place: Place, asked: Asked) => Plan
