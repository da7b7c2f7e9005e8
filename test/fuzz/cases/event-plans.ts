import { type Answer, type Asked, framed, headOf, type Make, pieces } from './answers.ts'
import type { Plan } from './case.ts'
import type { Random } from './random.ts'

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

/** A stream of events, with any line ending. */
export const events: Make = ({ random }, asked) => {
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
export const lateError: Make = (place, asked) => {
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
