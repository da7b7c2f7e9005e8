import { InvalidResponse } from '../errors.ts'
import {
  bodyFollows,
  expectMessage,
  type HeadArguments,
  HeadParts,
  type Llhttp,
  llhttp,
  noBody,
  stopHere,
} from '../llhttp.ts'
import { hasUnexpectedCoding, maxHeaderSize, maxInformational, unexpectedTransferCoding } from './transport.ts'

/** The final head of an answer. */
export interface ResponseHead {
  readonly status: number
  /** Raw pairs. */
  readonly headers: string[]
  /** How many bytes of body follow, to be read from the connection; null: the parser finds the end. */
  readonly length: number | null
  /** Whether the connection outlives the answer. */
  readonly keepAlive: boolean
  /** For how long the server keeps a quiet connection, in seconds, if it says so (`Keep-Alive: timeout=`). */
  readonly keepAliveSeconds: number | null
}

/** Whether Node's parser is available for answers; where it is not, another client takes the place of this one. */
export const canParseResponses = llhttp !== null

/**
 * Node's strict response parser, for one connection. It makes no calls: after `take`, its fields say what has come, so that
 * no code of the caller runs inside the parser. It does not parse bodies of known length.
 */
export class ResponseParser {
  readonly #parser: Llhttp
  readonly #parts = new HeadParts()
  #isHead = false
  /** How many informational answers have come. */
  informational = 0
  /** The head, once it is here. */
  head: ResponseHead | null = null
  /** What has come of a body that the parser delimits; whoever takes it empties it. */
  pieces: Buffer[] = []
  /** Whether an answer that the parser delimits has ended. */
  isComplete = false
  /** Why the answer is none. */
  fault: InvalidResponse | null = null
  /** Whether something has come behind the end of the answer. */
  hasSurplus = false

  /** Throws where `canParseResponses` is false. */
  constructor() {
    if (llhttp === null) throw new Error('this Node does not expose its HTTP parser')
    this.#parser = new llhttp()
    this.#parser[llhttp.kOnMessageBegin] = () => {
      this.hasSurplus = this.isComplete
    }
    this.#parser[llhttp.kOnHeaders] = (headers: string[], url: string) => this.#parts.add(headers, url)
    this.#parser[llhttp.kOnHeadersComplete] = (...head: HeadArguments) => this.#takeHead(head)
    this.#parser[llhttp.kOnBody] = (piece: Buffer) => {
      if (this.head && !this.hasSurplus) this.pieces.push(piece)
    }
    this.#parser[llhttp.kOnMessageComplete] = () => {
      if (this.head?.length === null) this.isComplete = true
    }
  }

  /** Expects the answer to a request; `isHead`: it has no body, whatever its head says (RFC 9110, 9.3.2). */
  expect(isHead: boolean): void {
    expectMessage(this.#parser, 'RESPONSE', maxHeaderSize)
    this.#isHead = isHead
    this.informational = 0
    this.#parts.forget()
    this.head = null
    this.pieces = []
    this.isComplete = false
    this.fault = null
    this.hasSurplus = false
  }

  /** Parses what has come, and returns how many bytes of it are used: the rest is body of known length. */
  take(bytes: Buffer): number {
    const used = this.#parser.execute(bytes)
    if (typeof used === 'number') return used
    // What follows a whole answer is no part of it, and no reason to doubt it.
    if (this.isComplete) this.hasSurplus = true
    else this.fault ??= new InvalidResponse(used.message)
    return bytes.length
  }

  /** The connection has ended, which completes an answer that nothing else delimits (RFC 9112, 6.3). */
  finish(): void {
    if (!this.isComplete && this.head?.length === null) this.#parser.finish()
  }

  close(): void {
    this.#parser.close()
  }

  #takeHead([, , rest, , , status, , upgrade, keepAlive]: HeadArguments): number {
    const { headers } = this.#parts.complete(rest, '')
    if (this.head || this.fault) return bodyFollows
    if (upgrade || status === 101) return this.#refuse('an upgrade that nobody asked for')
    if (status < 200) return this.#skip(status)
    const { length, keepAliveSeconds, coded } = bodyFactsIn(headers)
    if (coded) return this.#refuse(unexpectedTransferCoding)
    const isEmpty = this.#isHead || status === 204 || status === 304
    this.head = { status, headers, length: isEmpty ? 0 : length, keepAlive, keepAliveSeconds }
    return isEmpty || length !== null ? stopHere : bodyFollows
  }

  #skip(status: number): number {
    if (status < 100) return this.#refuse('a status that is none')
    if (status === 100) return this.#refuse('a 100 that nobody asked for')
    if (++this.informational > maxInformational) return this.#refuse('too many informational answers')
    return bodyFollows
  }

  /** Stops parsing for good. */
  #refuse(why: string): number {
    this.fault = new InvalidResponse(why)
    return noBody
  }
}

/** What a head says about its body and connection. The parser has already refused invalid and repeated lengths. */
interface BodyFacts extends Pick<ResponseHead, 'length' | 'keepAliveSeconds'> {
  readonly coded: boolean
}

function bodyFactsIn(headers: readonly string[]): BodyFacts {
  let length: number | null = null
  let coded = false
  let keepAliveSeconds: number | null = null
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] as string
    if (name.length === 14 && name.toLowerCase() === 'content-length') length = Number(headers[at + 1])
    else if (name.length === 10 && name.toLowerCase() === 'keep-alive') {
      keepAliveSeconds = timeoutIn(headers[at + 1] as string)
    } else coded ||= hasUnexpectedCoding(name, headers[at + 1] as string)
  }
  return { length, keepAliveSeconds, coded }
}

let latestText = ''
let latestSeconds: number | null = null

/** The `timeout` of a `Keep-Alive` header, in seconds; servers say the same thing with each answer. */
function timeoutIn(text: string): number | null {
  if (text !== latestText) {
    const [, seconds] = /timeout=(\d+)/i.exec(text) ?? []
    latestText = text
    latestSeconds = seconds === undefined ? null : Number(seconds)
  }
  return latestSeconds
}
