import { createHash } from 'node:crypto'
import type { Plan } from './case.ts'
import type { Random } from './random.ts'

/** What an answer is made for. */
export interface Asked {
  readonly method: string
  readonly nonce: string
  /** Of the request. */
  readonly body: string
}

interface Place {
  readonly random: Random
  mayMove: boolean
}

type Framing = 'length' | 'chunks' | 'close'

interface Answer {
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
const placeholder = String.fromCharCode(...Array.from({ length: secretLength }, (_, at) => 0x80 + at))
const inPlaceholder = /[\x80-\xa1]/g

/** An answer with the secret in its place. */
export function filled(text: string, secret: string): string {
  return text.replace(inPlaceholder, (each) => secret[each.charCodeAt(0) - 0x80] ?? each)
}

/** An answer as a client may see it: the secret masked, star by star. */
export function masked(text: string): string {
  return text.replace(inPlaceholder, '*')
}

/** The status of an answer that breaks off, and those that stand for one that never was. */
const broken = [502]

/** Answers begin with the nonce of their request, so that nobody else's can pass for it. */
export function headOf({ status, framing, body, headers = [] }: Answer, { nonce }: Asked): string {
  const lines = [`HTTP/1.1 ${status} Said`, `X-Nonce: ${nonce}`, 'Content-Type: text/plain', ...headers]
  if (framing === 'length') lines.push(`Content-Length: ${body.length}`)
  else if (framing === 'chunks') lines.push('Transfer-Encoding: chunked')
  else lines.push('Connection: close')
  return `${lines.join('\r\n')}\r\n\r\n`
}

function framed(random: Random, { framing, body }: Answer): string {
  if (framing !== 'chunks') return body
  let text = ''
  for (let at = 0; at < body.length; ) {
    const chunk = body.slice(at, at + random.between(1, Math.max(1, body.length)))
    text += `${chunk.length.toString(16)}\r\n${chunk}\r\n`
    at += chunk.length
  }
  return `${text}0\r\n\r\n`
}

const bodyless = (asked: Asked, status: number) => asked.method === 'HEAD' || status === 204 || status === 304

function answerFor(random: Random, asked: Asked): Answer {
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
function pieces(random: Random, text: string, most = 3): string[] {
  const places = [...random.cuts(text.length, random.chance(0.6) ? 0 : random.between(1, most)), text.length]
  let from = 0
  return places.map((to) => {
    const piece = text.slice(from, to)
    from = to
    return piece
  })
}

/** An answer as it should be. */
export function wellDone({ random }: Place, asked: Asked): Plan {
  const answer = answerFor(random, asked)
  const isBare = bodyless(asked, answer.status)
  const text = headOf(answer, asked) + (isBare ? '' : framed(random, answer))
  return {
    name: `${answer.status} ${answer.framing}`,
    when: 'body',
    pieces: pieces(random, text),
    ends: answer.framing === 'close' ? 'fin' : 'keep',
    moves: false,
    sees: { status: answer.status, body: answer.body, may: 'whole' },
    own: [],
  }
}

/** Refusals that make the proxy try somebody else. */
function refusing({ random }: Place, asked: Asked): Plan {
  const [status, error] = random.pick([
    [429, { code: 'rate_limit_exceeded', message: 'slow' }],
    [503, { code: 'server_is_overloaded', message: 'busy' }],
  ] as const)
  const body = JSON.stringify({ error: { ...error, nonce: asked.nonce } })
  const answer: Answer = { status, body, framing: 'length', headers: ['Content-Type: application/json'] }
  const text = headOf(answer, asked) + (asked.method === 'HEAD' ? '' : body)
  const isShown = { status, body: asked.method === 'HEAD' ? '' : body, may: 'whole' as const }
  return {
    name: `${status} ${error.code}`,
    when: 'body',
    pieces: pieces(random, text),
    ends: 'keep',
    moves: asked.method !== 'HEAD',
    sees: isShown,
    own: [],
  }
}

/** One attempt, or two. */
export function planned(place: Place, asked: Asked): Plan[] {
  const last = wellDone(place, asked)
  if (!place.mayMove || asked.method === 'HEAD' || asked.body.length > 16_000 || !place.random.chance(0.12))
    return [last]
  place.mayMove = false
  return [refusing(place, asked), last]
}

type Make = (place: Place, asked: Asked) => Plan

const base = { when: 'body', moves: false } as const
const garbled = (name: string, text: string, ends: Plan['ends'] = 'fin'): Plan => ({
  ...base,
  name,
  pieces: [text],
  ends,
  sees: null,
  own: broken,
})

/** Breaks off behind a part of the answer. */
const breaksOff: Make = (place, asked) => {
  const { random } = place
  const answer: Answer = { ...answerFor(random, asked), status: 200 }
  const isBare = asked.method === 'HEAD'
  const head = headOf(answer, asked)
  const text = head + (isBare ? '' : framed(random, answer))
  const at = random.chance(0.4) ? random.below(head.length + 1) : random.below(text.length)
  const ends = random.pick(['fin', 'rst'] as const)
  // A head that ends before its frame was said, and a body that only the end of the connection delimits, are whole.
  const isWhole = at >= head.length && (isBare || (answer.framing === 'close' && ends === 'fin'))
  const seen = { status: 200, body: isWhole && !isBare ? answer.body.slice(0, at - head.length) : answer.body }
  const isLate = ends === 'rst' && answer.framing === 'close'
  // A reset may overtake what was sent before it.
  const may = isWhole ? 'whole' : 'broken'
  const own = isWhole && ends === 'fin' ? [] : broken
  return {
    ...base,
    name: `breaks off at ${at} of ${text.length}`,
    // A reset that comes with the last bytes looks like an orderly end to whoever reads them (libuv does not ask again);
    // behind a whole answer, a late one would meet somebody else's request.
    pieces: [...pieces(random, text.slice(0, at)), ...(isLate ? ['', '', ''] : [])],
    ends,
    sees: at < head.length ? null : { ...seen, may },
    own,
  }
}

const early: Make = (place, asked) => ({ ...wellDone(place, asked), name: 'early', when: 'head' })

const twice: Make = (place, asked) => {
  const plan = wellDone(place, asked)
  const again = plan.pieces.join('')
  if (plan.ends === 'fin') return plan
  const last = plan.pieces.length - 1
  // Later it would come to a connection that rests, or be taken for the answer to the next request: HTTP/1.1 cannot tell.
  return { ...plan, name: 'twice', pieces: plan.pieces.map((piece, at) => (at === last ? piece + again : piece)) }
}

const hints: Make = (place, asked) => {
  const plan = wellDone(place, asked)
  const count = place.random.weighted([
    [4, 1],
    [2, 3],
    [1, 16],
    [1, 17],
  ])
  const hint = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(count)
  if (count > 16) return garbled('too many 103', hint)
  return { ...plan, name: `${count} times 103`, pieces: [hint, ...plan.pieces] }
}

const garbage: Make = ({ random }, asked) => {
  const nonce = `X-Nonce: ${asked.nonce}`
  return random.pick([
    garbled('unasked 100', `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n${nonce}\r\nContent-Length: 2\r\n\r\nok`),
    garbled('unasked 101', `HTTP/1.1 101 Switching Protocols\r\n${nonce}\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n`),
    garbled('no http', 'SSH-2.0-OpenSSH_9\r\n'),
    garbled(
      'length and chunks',
      `HTTP/1.1 200 OK\r\n${nonce}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ),
    garbled('two lengths', `HTTP/1.1 200 OK\r\n${nonce}\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello`),
    garbled('coded', `HTTP/1.1 200 OK\r\n${nonce}\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`),
    garbled('long head', `HTTP/1.1 200 OK\r\n${nonce}\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`),
    garbled('bare line feeds', `HTTP/1.1 200 OK\n${nonce}\nContent-Length: 2\n\nok`),
    garbled('status 099', `HTTP/1.1 099 What\r\n${nonce}\r\n\r\n`),
    garbled('nothing', ''),
    garbled('nothing, reset', '', 'rst'),
    garbled('bytes', String.fromCharCode(...Array.from({ length: 40 }, () => random.below(256)))),
  ])
}

/** The frame of the body goes wrong behind a head that was in order. */
const badChunks: Make = (_place, asked) => {
  const head = headOf({ status: 200, body: '', framing: 'chunks' }, asked)
  const seen = asked.method === 'HEAD' ? ('whole' as const) : ('broken' as const)
  return {
    ...base,
    name: 'bad chunks',
    pieces: asked.method === 'HEAD' ? [`${head}5\r\nhello\r\nxyz\r\n`] : [head, '5\r\nhello\r\nxyz\r\n'],
    ends: 'keep',
    sees: { status: 200, body: asked.method === 'HEAD' ? '' : 'hello', may: seen },
    own: asked.method === 'HEAD' ? [] : broken,
  }
}

const silent: Make = (_place, _asked) => ({
  ...base,
  name: 'silent',
  when: 'never',
  pieces: [],
  ends: 'keep',
  sees: null,
  own: [504],
})

const stalls: Make = (place, asked) => {
  const answer: Answer = { ...answerFor(place.random, asked), status: 200, framing: 'length' }
  if (answer.body.length < 2) return silent(place, asked)
  const text = headOf(answer, asked) + answer.body.slice(0, -1)
  return {
    ...base,
    name: 'stalls',
    pieces: [text],
    ends: 'keep',
    sees: { status: 200, body: answer.body, may: 'broken' },
    own: [502, 504],
  }
}

/** An error body that repeats what it was sent. */
const reflecting: Make = ({ random }, asked) => {
  const body = `{"error":{"message":"${asked.nonce} no such key: ${placeholder}","code":"${random.pick(['bad', 'context_length_exceeded'])}"}}`
  const answer: Answer = { status: 400, body, framing: random.pick(['length', 'chunks', 'close']) }
  const text = headOf(answer, asked) + framed(random, answer)
  const isBare = asked.method === 'HEAD'
  return {
    ...base,
    name: 'reflecting',
    reflects: true,
    pieces: isBare ? [headOf(answer, asked)] : pieces(random, text, 6),
    ends: answer.framing === 'close' ? 'fin' : 'keep',
    sees: { status: 400, body: isBare ? '' : body, may: 'whole' },
    own: [],
  }
}

/** Lines of an event stream end in one of these ways. */
const lineEnds = ['\n', '\n', '\r\n', '\r'] as const

function eventStream(random: Random, body: string): Answer {
  const end = random.pick(lineEnds)
  return {
    status: 200,
    body: body.replaceAll('\n', end),
    framing: random.pick(['chunks', 'close']),
    headers: ['Content-Type: text/event-stream'],
  }
}

function contentEvents(random: Random, { nonce }: Asked): string {
  return Array.from({ length: random.between(1, 6) }, (_, at) => `data: {"n":"${nonce}","at":${at}}\n\n`).join('')
}

function streamed(random: Random, answer: Answer, asked: Asked): Pick<Plan, 'when' | 'pieces' | 'ends'> {
  const head = headOf(answer, asked).replace('Content-Type: text/plain\r\n', '')
  const text = asked.method === 'HEAD' ? head : head + framed(random, answer)
  return {
    when: 'body',
    pieces: asked.method === 'HEAD' ? [head] : pieces(random, text, 8),
    ends: answer.framing === 'close' ? 'fin' : 'keep',
  }
}

const events: Make = ({ random }, asked) => {
  const opening = random.chance(0.5) ? 'event: response.created\ndata: {"type":"response.created"}\n\n' : ''
  const last = random.chance(0.5) ? 'data: [DONE]\n\n' : ''
  const answer = eventStream(random, opening + contentEvents(random, asked) + last)
  const body = asked.method === 'HEAD' ? '' : answer.body
  return {
    ...streamed(random, answer, asked),
    name: 'events',
    moves: false,
    sees: { status: 200, body, may: 'whole' },
    own: [],
  }
}

const lateErrors = ['rate_limit_exceeded', 'server_is_overloaded'].map(
  (code) => `data: {"error":{"code":"${code}","message":"m"}}\n\n`,
)

/** A stream that fails behind its content: the connection of the client breaks before the error event is whole. */
const lateError: Make = (place, asked) => {
  const { random } = place
  if (asked.method === 'HEAD' || !place.mayMove) return events(place, asked)
  place.mayMove = false
  const content = contentEvents(random, asked)
  const error = random.pick(lateErrors)
  const answer = eventStream(random, content + error + (random.chance(0.5) ? content : ''))
  const [most = ''] = /^.*"error".*?(?:\r\n|\r|\n)/s.exec(answer.body) ?? []
  return {
    ...streamed(random, answer, asked),
    name: 'late error',
    moves: false,
    sees: { status: 200, body: most, may: 'broken' },
    own: [],
  }
}

/** Upstreams that do all that upstreams do. */
export const bad: Make = (place, asked) =>
  place.random.weighted<Make>([
    [8, breaksOff],
    [4, early],
    [4, twice],
    [3, hints],
    [6, garbage],
    [2, badChunks],
    [1, silent],
    [1, stalls],
    [4, reflecting],
    [4, events],
    [2, lateError],
    [3, wellDone],
  ])(place, asked)

const acceptSalt = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** A short frame of a server. */
export function frame(first: number, payload: string): string {
  const { length } = payload
  const size = length < 126 ? String.fromCharCode(length) : `\x7e${String.fromCharCode(length >> 8, length & 0xff)}`
  return `${String.fromCharCode(first)}${size}${payload}`
}

/** Grants an upgrade, and says something in it. */
export function granting(random: Random, { nonce }: Asked, key: string): Plan {
  const accept = createHash('sha1')
    .update(key + acceptSalt)
    .digest('base64')
  const head = `HTTP/1.1 101 Switching Protocols\r\nX-Nonce: ${nonce}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`
  const messages = Array.from({ length: random.between(0, 4) }, (_, at) =>
    frame(random.pick([0x81, 0x82, 0x89]), `{"n":"${nonce}","at":${at}}`),
  )
  const said = messages.join('') + (random.chance(0.5) ? frame(0x88, '\x03\xe8') : '')
  const ends = random.pick(['fin', 'rst', 'keep'] as const)
  return {
    ...base,
    name: `101, ${messages.length} frames`,
    pieces: [head, ...pieces(random, said, 4)],
    ends,
    sees: { status: 101, body: said, may: 'broken' },
    own: broken,
  }
}
