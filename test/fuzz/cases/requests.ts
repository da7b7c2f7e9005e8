import type { Goes, Plan, Request } from './case.ts'
import { planned } from './plans.ts'
import type { Random } from './random.ts'

/** Where a request is sent from. */
export interface Place {
  readonly random: Random
  readonly pool: string
  readonly key: string
  nonce(): string
  /** Whether a request of the case may still cost a member. */
  mayMove: boolean
}

/** Longer bodies are sent on as they come; the stage sets it so low that this happens often. */
export const mostHeldBody = 16_384

interface Parts {
  readonly name: string
  readonly method?: string
  readonly version?: string
  readonly lines?: readonly string[]
  /** As it is sent, in its frame. */
  readonly sent?: string
  readonly goes: Goes | { readonly to: 'upstream' }
  readonly body?: string
  readonly closes?: boolean
  readonly expects?: boolean
  readonly plans?: readonly Plan[]
  /** In place of what is usual. */
  readonly target?: string
  readonly host?: string | null
  readonly key?: string | null
}

function build(place: Place, parts: Parts): Request {
  const nonce = place.nonce()
  const { method = 'POST', version = '1.1', lines = [], body = '', sent = '', closes = false } = parts
  const target = parts.target?.replace('NONCE', nonce) ?? `/${place.pool}/v1/${nonce}`
  let text = `${method} ${target} HTTP/${version}\r\n`
  if (parts.host !== null) text += `Host: ${parts.host ?? 'a'}\r\n`
  const key = parts.key === undefined ? place.key : parts.key
  if (key !== null) text += `Authorization: Bearer ${key}\r\n`
  for (const line of lines) text += `${line}\r\n`
  text += `\r\n${sent}`
  const goes = parts.goes.to === 'upstream' ? { to: 'upstream' as const, body } : (parts.goes as Goes)
  const plans = parts.plans ?? (goes.to === 'upstream' ? planned(place, { method, nonce, body }) : [])
  return { name: parts.name, method, text, nonce, goes, alone: goes, closes, expects: parts.expects ?? false, plans }
}

const upstream = { to: 'upstream' } as const
const ends = (...statuses: number[]) => ({ to: 'end', statuses }) as const
const ours = (...statuses: number[]) => ({ to: 'us', statuses }) as const

function bodyLength(random: Random): number {
  return random.weighted([
    [3, 0],
    [8, random.between(1, 300)],
    [3, random.between(301, 8_300)],
    [1, random.between(8_301, mostHeldBody)],
    [1, random.between(mostHeldBody + 1, 70_000)],
  ])
}

/** A body in chunks, some of them with extensions. */
function inChunks(random: Random, body: string): string {
  let text = ''
  for (let at = 0; at < body.length; ) {
    const length = random.chance(0.3) ? random.between(1, 8) : random.between(1, body.length)
    const chunk = body.slice(at, at + length)
    const extension = random.chance(0.05) ? random.pick([';a', ';a=b', ';a="b c"']) : ''
    text += `${chunk.length.toString(16)}${extension}\r\n${chunk}\r\n`
    at += chunk.length
  }
  return `${text}0\r\n\r\n`
}

type Make = (place: Place) => Request

const close = (random: Random, share = 0.08) => (random.chance(share) ? ['Connection: close'] : [])

export const plain: Make = (place) => {
  const { random } = place
  const method = random.weighted([
    [6, 'GET'],
    [1, 'HEAD'],
    [1, 'DELETE'],
    [1, 'OPTIONS'],
  ])
  const lines = close(random)
  if (random.chance(0.05)) lines.push(`X-Long: ${random.text(random.between(100, 9_000))}`)
  return build(place, {
    name: method.toLowerCase(),
    method,
    lines,
    goes: upstream,
    closes: lines[0] === 'Connection: close',
  })
}

export const post: Make = (place) => {
  const { random } = place
  const body = random.text(bodyLength(random))
  const closing = close(random)
  const method = random.weighted([
    [8, 'POST'],
    [1, 'PUT'],
    [1, 'PATCH'],
  ])
  const lines = [`Content-Length: ${body.length}`, ...closing]
  return build(place, {
    name: method.toLowerCase(),
    method,
    lines,
    sent: body,
    body,
    goes: upstream,
    closes: closing.length > 0,
  })
}

export const chunked: Make = (place) => {
  const { random } = place
  const body = random.text(bodyLength(random))
  const closing = close(random)
  const lines = ['Transfer-Encoding: chunked', ...closing]
  const method = random.weighted([
    [6, 'POST'],
    [1, 'GET'],
    [1, 'DELETE'],
  ])
  const sent = inChunks(random, body)
  return build(place, { name: 'chunked', method, lines, sent, body, goes: upstream, closes: closing.length > 0 })
}

export const expecting: Make = (place) => {
  const { random } = place
  const body = random.text(random.between(1, 400))
  const isChunked = random.chance(0.3)
  const frame = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`
  const sent = isChunked ? inChunks(random, body) : body
  const lines = ['Expect: 100-continue', frame]
  return build(place, { name: 'expect', lines, sent, body, goes: upstream, expects: true })
}

export const old: Make = (place) => {
  const { random } = place
  const keeps = random.chance(0.5)
  const body = random.chance(0.5) ? random.text(random.between(1, 300)) : ''
  const lines = [
    ...(keeps ? ['Connection: keep-alive'] : []),
    ...(body === '' ? [] : [`Content-Length: ${body.length}`]),
  ]
  const method = body === '' ? 'GET' : 'POST'
  return build(place, {
    name: 'http/1.0',
    method,
    version: '1.0',
    lines,
    sent: body,
    body,
    goes: upstream,
    closes: !keeps,
  })
}

export const h2c: Make = (place) => {
  const { random } = place
  const body = random.chance(0.6) ? random.text(random.between(1, 300)) : ''
  const isChunked = body !== '' && random.chance(0.3)
  const offer = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__']
  if (isChunked) offer.push('Transfer-Encoding: chunked')
  else if (body !== '') offer.push(`Content-Length: ${body.length}`)
  const sent = isChunked ? inChunks(random, body) : body
  const method = body === '' ? 'GET' : 'POST'
  return build(place, { name: 'h2c', method, lines: offer, sent, body, goes: upstream })
}

/** A request inside a body, which nobody may take for one. */
export const smuggling: Make = (place) => {
  const inner = build(place, { name: 'inner', method: 'GET', goes: { to: 'nobody' } })
  const body = inner.text.replace(place.key, 'x'.repeat(place.key.length))
  const isChunked = place.random.chance(0.5)
  const lines = [isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`]
  const sent = isChunked ? inChunks(place.random, body) : body
  return build(place, { name: 'smuggling', lines, sent, body, goes: upstream })
}

const locals: readonly Make[] = [
  (place) => build(place, { name: 'healthz', method: 'GET', target: '/healthz', goes: ours(200) }),
  (place) => build(place, { name: 'healthz-head', method: 'HEAD', target: '/healthz', goes: ours(200) }),
  (place) =>
    build(place, {
      name: 'healthz-expect',
      method: 'GET',
      target: '/healthz',
      lines: ['Expect: 100-continue'],
      goes: ours(200),
      expects: true,
    }),
  (place) => build(place, { name: 'readyz', method: 'GET', target: '/readyz', goes: ours(200) }),
  (place) => build(place, { name: 'unknown-pool', method: 'GET', target: '/nobody/NONCE', goes: ours(404) }),
  (place) => build(place, { name: 'no-key', key: null, lines: ['Content-Length: 3'], sent: 'abc', goes: ours(401) }),
  (place) => build(place, { name: 'wrong-key', key: 'sk-wrong', method: 'GET', goes: ours(401) }),
  (place) => build(place, { name: 'trace', method: 'TRACE', goes: ours(405) }),
  (place) => build(place, { name: 'dots', method: 'GET', target: `/${place.pool}/../NONCE`, goes: ours(400) }),
  (place) => build(place, { name: 'absolute', method: 'GET', target: 'http://evil/NONCE', goes: ours(400) }),
  (place) =>
    build(place, {
      name: 'unknown-chunked',
      target: '/nobody/NONCE',
      lines: ['Transfer-Encoding: chunked'],
      sent: '3\r\nabc\r\n0\r\n\r\n',
      goes: ours(404),
    }),
  (place) => build(place, { name: 'other-expectation', method: 'GET', lines: ['Expect: x'], goes: ours(417) }),
]

export const local: Make = (place) => place.random.pick(locals)(place)

const te = 'Transfer-Encoding: chunked'
const oneChunk = '5\r\nhello\r\n0\r\n\r\n'

/** Frames that some other server reads differently. */
const badFrames: readonly (readonly [string, readonly string[], string])[] = [
  ['length-and-chunks', ['Content-Length: 5', te], oneChunk],
  ['chunks-and-length', [te, 'Content-Length: 5'], oneChunk],
  ['two-lengths', ['Content-Length: 0', 'Content-Length: 5'], 'hello'],
  ['same-length-twice', ['Content-Length: 5', 'Content-Length: 5'], 'hello'],
  ['listed-lengths', ['Content-Length: 5, 5'], 'hello'],
  ['signed-length', ['Content-Length: +5'], 'hello'],
  ['hex-length', ['Content-Length: 0x5'], 'hello'],
  ['empty-length', ['Content-Length:'], 'hello'],
  ['endless-length', [`Content-Length: ${'9'.repeat(40)}`], 'hello'],
  ['space-before-colon', ['Content-Length : 5'], 'hello'],
  ['coding-before-chunked', ['Transfer-Encoding: gzip, chunked'], oneChunk],
  ['coding-after-chunked', ['Transfer-Encoding: chunked, identity'], oneChunk],
  ['identity', ['Transfer-Encoding: identity'], oneChunk],
  ['xchunked', ['Transfer-Encoding: xchunked'], oneChunk],
  ['quoted-chunked', ['Transfer-Encoding: "chunked"'], oneChunk],
  ['chunked-with-parameter', ['Transfer-Encoding: chunked;q=1'], oneChunk],
  ['two-codings', [te, te], oneChunk],
  ['folded', ['X-A: 1\r\n 2', 'Content-Length: 5'], 'hello'],
  ['no-colon', ['Nonsense', 'Content-Length: 5'], 'hello'],
  ['bare-cr', ['X: a\rb', 'Content-Length: 5'], 'hello'],
  ['nul', ['X: a\0b', 'Content-Length: 5'], 'hello'],
  ['trailers', [te], '5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n'],
  ['announced-trailers', [te, 'Trailer: X-Sum'], '5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n'],
  ['length-in-trailers', [te], '5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n'],
  ['signed-chunk', [te], '+5\r\nhello\r\n0\r\n\r\n'],
  ['hex-prefixed-chunk', [te], '0x5\r\nhello\r\n0\r\n\r\n'],
  ['line-feed-chunks', [te], '5\nhello\n0\n\n'],
  ['long-chunk', [te], '5\r\nhelloXX0\r\n\r\n'],
]

/** Where the frame of such a body is clear all the same, its connection may go on. */
const clearAllTheSame = new Set(['trailers', 'length-in-trailers'])

export const badFrame: Make = (place) => {
  const [name, lines, sent] = place.random.pick(badFrames)
  if (clearAllTheSame.has(name)) return build(place, { name, lines, sent, goes: ours(400) })
  return build(place, { name, lines, sent, goes: ends(400) })
}

const hopeless: readonly Make[] = [
  (place) => build(place, { name: 'no-host', method: 'GET', host: null, goes: ends(400) }),
  (place) => build(place, { name: 'empty-host', method: 'GET', host: '', goes: ends(400) }),
  (place) => build(place, { name: 'bad-host', method: 'GET', host: 'a/b', goes: ends(400) }),
  (place) => build(place, { name: 'two-hosts', method: 'GET', lines: ['Host: b'], goes: ends(400) }),
  (place) => build(place, { name: 'connect', method: 'CONNECT', target: 'evil:443', goes: ends(405) }),
  (place) => build(place, { name: 'http/2.0', method: 'GET', version: '2.0', goes: ends(400) }),
  (place) => build(place, { name: 'http/0.9', method: 'GET', version: '0.9', goes: ends(400) }),
  (place) => build(place, { name: 'unknown-method', method: 'BREW', goes: ends(400) }),
  (place) => build(place, { name: 'long-head', method: 'GET', lines: [`X: ${'x'.repeat(40_000)}`], goes: ends(431) }),
  (place) => ({ ...build(place, { name: 'ssh', goes: ends(400) }), text: 'SSH-2.0-OpenSSH\r\n\r\n' }),
  (place) => ({
    ...build(place, { name: 'tls', goes: ends(400) }),
    text: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n',
  }),
]

export const fatal: Make = (place) => place.random.pick([...hopeless, badFrame, badFrame])(place)

export function upgrade(place: Place, parts: { readonly plans: readonly Plan[]; readonly more?: string }): Request {
  const lines = [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${webSocketKey}`,
  ]
  return build(place, {
    name: 'websocket',
    method: 'GET',
    lines,
    sent: parts.more ?? '',
    goes: { to: 'tunnel' },
    plans: parts.plans,
  })
}

export const webSocketKey = 'dGhlIHNhbXBsZSBub25jZQ=='

/** The request again, with another plan. */
export const withPlans = (request: Request, plans: readonly Plan[]): Request => ({ ...request, plans })

/** Requests that are as they should be, in the proportions in which bugs live. */
export const good: Make = (place) =>
  place.random.weighted<Make>([
    [6, plain],
    [6, post],
    [4, chunked],
    [3, expecting],
    [2, old],
    [2, h2c],
    [2, local],
    [1, smuggling],
  ])(place)
