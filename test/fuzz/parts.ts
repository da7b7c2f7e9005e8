/**
 * Parts of the data port that can be driven without sockets: what comes cut anywhere has to mean what it means as a whole.
 * These cases cost little, say little of what happens on connections, and are counted apart.
 */
import { dialectOf } from '../../internal/dialect/dialect.ts'
import { ResponseParser } from '../../internal/http1/client/response-parser.ts'
import { FastRequest } from '../../internal/http1/server/fast-request.ts'
import { RequestReader } from '../../internal/http1/server/request-reader.ts'
import { EventReader } from '../../internal/proxy/attempt/event-reader.ts'
import { LateErrors } from '../../internal/proxy/attempt/late-errors.ts'
import { Redactor } from '../../internal/proxy/attempt/redact.ts'
import { Opening } from '../../internal/proxy/attempt/stream.ts'
import { FrameReader, payloadOf } from '../../internal/proxy/websocket/frames.ts'
import { filled } from './cases/answers.ts'
import { bad, wellDone } from './cases/plans.ts'
import type { Random } from './cases/random.ts'
import { fatal, good } from './cases/requests.ts'
import { spoilt } from './cases/spoilt.ts'
import { frame } from './cases/websocket-plans.ts'

/** What a part makes of bytes that come in these pieces, in a form that can be compared. */
type Understand = (pieces: readonly Buffer[]) => unknown

/** A part, and bytes for it. */
interface Part {
  readonly bytes: (random: Random) => Buffer
  readonly understand: (random: Random) => Understand
}

const latin = (text: string) => Buffer.from(text, 'latin1')

function answerBytes(random: Random): Buffer {
  const place = { random, mayMove: false }
  const asked = { method: random.chance(0.1) ? 'HEAD' : 'GET', nonce: 'N00000000000', body: '' }
  const plan = (random.chance(0.5) ? wellDone : bad)(place, asked)
  // What is cut off is as good as what breaks off.
  const text = plan.pieces.join('').slice(0, 1_500)
  return latin(random.chance(0.5) ? spoilt(random, text) : text)
}

/** Reads an answer as a connection does: by the parser up to a head that says a length, then by that length. */
function readAnswer(isHead: boolean): Understand {
  return (pieces) => {
    const parser = new ResponseParser()
    parser.expect(isHead)
    let body = ''
    let missing: number | null = null
    const isOver = () => missing === 0 || parser.isComplete || parser.fault !== null
    for (const piece of pieces) {
      if (isOver()) break
      let rest = piece
      if (missing === null) {
        const used = parser.take(piece)
        for (const part of parser.pieces) body += part.toString('latin1')
        parser.pieces = []
        if (parser.head === null || parser.head.length === null) continue
        missing = parser.head.length
        rest = piece.subarray(used)
      }
      const taken = rest.subarray(0, missing)
      body += taken.toString('latin1')
      missing -= taken.length
    }
    if (!isOver()) parser.finish()
    const { head, isComplete, fault } = parser
    parser.close()
    // Of an answer that turns out to be none, how much has gone on is a matter of when that is seen.
    return { head, isWhole: isComplete || missing === 0, isFault: fault !== null, body: fault === null ? body : null }
  }
}

function requestBytes(random: Random): Buffer {
  let count = 0
  const place = {
    random,
    pool: 'p0000',
    key: 'k',
    nonce: () => `N${String(count++).padStart(11, '0')}`,
    mayMove: false,
  }
  let text = ''
  for (let each = random.between(1, 3); each > 0; each--) text += (random.chance(0.8) ? good : fatal)(place).text
  const short = text.slice(0, 3_000)
  return latin(random.chance(0.5) ? spoilt(random, short) : short)
}

/** The requests of a connection as they are read: of those that have come whole the body, too; and why no more are. */
function readRequests(isLent: boolean): Understand {
  return (pieces) => {
    const read: FastRequest[] = []
    const whole = new Set<FastRequest>()
    const reader = new RequestReader(32_768, {
      begin(head) {
        const request = new FastRequest(head, null as never)
        read.push(request)
        return request
      },
      ended: (request) => void whole.add(request),
    })
    for (const piece of pieces) {
      if (!isLent) reader.take(piece, 'own')
      else {
        const lent = Buffer.from(piece)
        reader.take(lent, 'lent')
        for (const { gathered } of read) gathered.keep()
        // As the next read does.
        lent.fill(0)
      }
    }
    reader.close()
    const requests = read.map((request) => {
      const { method, url, httpVersion, rawHeaders, rawTrailers, frame } = request
      const body = whole.has(request) ? (request.gathered.whole()?.toString('latin1') ?? '') : null
      return { method, url, httpVersion, rawHeaders, rawTrailers, frame, body }
    })
    return { requests, end: reader.end, behind: reader.behind.toString('latin1') }
  }
}

const words = [
  'data: ',
  'event: ',
  'id: 1',
  ':',
  'retry: 3',
  '{"error":{"code":"rate_limit_exceeded"}}',
  '{"type":"response.created"}',
  'response.created',
  'error',
  '[DONE]',
  '{"type":"error","error":{"type":"overloaded_error"}}',
  '\ufeff',
  'data',
  'é',
  '\0',
]
const endings = ['\n', '\r\n', '\r', '\n\n', '\r\n\r\n', '\r\r']

function eventBytes(random: Random): Buffer {
  let text = ''
  for (let lines = random.between(1, 12); lines > 0; lines--) {
    for (let each = random.between(0, 3); each > 0; each--) text += random.pick(words)
    text += random.pick(endings)
  }
  return Buffer.from(text)
}

function frameBytes(random: Random): Buffer {
  let text = ''
  for (let frames = random.between(1, 5); frames > 0; frames--) {
    const first = random.pick([0x81, 0x82, 0x89, 0x8a, 0x88, 0x01, 0x80, random.below(256)])
    text += frame(first, random.text(random.pick([0, 1, 5, 125, 126, 300])))
  }
  return latin(random.chance(0.3) ? spoilt(random, text) : text)
}

const secret = 'upstream-secret-p0000-0-0123456789'

function secretBytes(random: Random): Buffer {
  let text = ''
  for (let each = random.between(1, 6); each > 0; each--) {
    text += random.pick([
      secret,
      secret.slice(0, random.below(secret.length)),
      random.text(random.below(30)),
      filled('\x80\x81', secret),
    ])
  }
  return latin(text)
}

const noon = Date.UTC(2026, 0, 5, 12)

const parts: Readonly<Record<string, Part>> = {
  'part-requests': { bytes: requestBytes, understand: (random) => readRequests(random.chance(0.5)) },
  'part-answer': { bytes: answerBytes, understand: (random) => readAnswer(random.chance(0.1)) },
  'part-events': {
    bytes: eventBytes,
    understand: () => (pieces) => {
      const reader = new EventReader()
      return pieces.flatMap((piece) => reader.push(piece))
    },
  },
  'part-opening': {
    bytes: eventBytes,
    understand: (random) => {
      const dialect = dialectOf(random.pick(['openai', 'anthropic', 'gemini', 'codex'] as const))
      return (pieces) => {
        const opening = new Opening(dialect)
        for (const piece of pieces) {
          const meaning = opening.read(piece, noon)
          if (meaning !== null) return meaning
        }
        return null
      }
    },
  },
  'part-late-error': {
    bytes: eventBytes,
    understand: (random) => {
      const dialect = dialectOf(random.pick(['openai', 'anthropic', 'gemini', 'codex'] as const))
      return (pieces) => {
        const late = new LateErrors(dialect, () => noon)
        for (const piece of pieces) {
          const found = late.read(piece)
          if (found !== null) return found.outcome
        }
        return null
      }
    },
  },
  'part-frames': {
    bytes: frameBytes,
    understand: () => (pieces) => {
      const reader = new FrameReader()
      const found = pieces.flatMap((piece) => reader.push(piece))
      return {
        found: found.map((one) => (one.kind === 'text' ? payloadOf(one).toString('latin1') : one.kind)),
        at: reader.atBoundary,
      }
    },
  },
  'part-redactor': {
    bytes: secretBytes,
    understand: () => (pieces) => {
      const redactor = new Redactor(secret)
      const clean = Buffer.concat([...pieces.map((piece) => redactor.chunk(piece)), redactor.end()]).toString('latin1')
      if (clean.includes(secret)) throw new Error('the secret came through')
      return clean
    },
  },
}

export const partNames = Object.keys(parts)

/** The fault of the case of that seed for that part; null when there is none. */
export function partFault(name: string, random: Random): string | null {
  const part = parts[name]
  if (!part) throw new Error(`there is no part ${name}; there are ${partNames.join(', ')}`)
  const bytes = part.bytes(random)
  // Nobody is told of nothing.
  if (bytes.length === 0) return null
  const understand = part.understand(random)
  const cuts =
    random.chance(0.1) && bytes.length < 500
      ? Array.from({ length: Math.max(0, bytes.length - 1) }, (_, at) => at + 1)
      : random.cuts(bytes.length, random.between(1, 5))
  const pieces = [...cuts, bytes.length].map((to, at) => bytes.subarray(cuts[at - 1] ?? 0, to))
  try {
    const whole = JSON.stringify(understand([bytes]))
    const inPieces = JSON.stringify(understand(pieces))
    return whole === inPieces
      ? null
      : `${JSON.stringify(bytes.toString('latin1'))} cut at ${cuts}: ${inPieces} in place of ${whole}`
  } catch (error) {
    return `${JSON.stringify(bytes.toString('latin1'))} cut at ${cuts}: ${String(error)}`
  }
}
