import {
  type Answer,
  type Asked,
  answerFor,
  bodyless,
  framed,
  headOf,
  type Make,
  type Place,
  pieces,
  placeholder,
} from './answers.ts'
import type { Plan } from './case.ts'
import { events, lateError } from './event-plans.ts'

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

/** The status of an answer that breaks off, and of one that never was. */
const broken = [502]

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
