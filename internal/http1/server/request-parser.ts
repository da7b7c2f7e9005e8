import { METHODS } from 'node:http'
import { bodyFollows, expectMessage, type HeadArguments, HeadParts, type Llhttp, llhttp, stopHere } from '../llhttp.ts'

/** What a RequestParser calls with the requests of a connection, in the order of their bytes. */
export interface RequestParserListener {
  /** Whether the parser is to go on with the body, which it delimits by its chunks; otherwise it stops behind the head. */
  requestHead(head: ParsedHead): boolean
  /** A piece of a body that the parser delimits, in memory of its own. */
  requestBody(piece: Buffer): void
  /** The body that the parser delimits has ended, with these trailers. */
  requestEnd(trailers: readonly string[]): void
}

export interface ParsedHead {
  /** Empty for a method that is not known here. */
  readonly method: string
  readonly url: string
  readonly version: string
  /** Raw pairs. */
  readonly headers: string[]
  /** Whether the connection may serve another request after this one. */
  readonly keepAlive: boolean
  /** Whether it asks for another protocol, or for a tunnel. */
  readonly upgrade: boolean
}

/** The numbers that this node's parser gives to methods, asked from itself: its own table is not public. */
const methods = llhttp === null ? [] : methodsOf(llhttp)

/** Whether requests can be parsed without node:http around it. */
export const canParseRequests = methods.includes('POST')

const none: readonly string[] = []

/** node's strict request parser, llhttp with no leniency, without the streams that node:http puts on top. */
export class RequestParser {
  readonly #parser: Llhttp
  readonly #maxHeaderSize: number
  readonly #listener: RequestParserListener
  readonly #parts = new HeadParts()
  #trailers: readonly string[] = none
  #isInBody = false
  #mayUpgrade = false
  /** Whether the parser has stopped where it was to stop: what follows is not for it before it is restarted. */
  hasStopped = false
  /** Whether the bytes that were parsed last ended within a head. */
  isInHead = false
  /** node's code for what is no HTTP in what has come. */
  fault: string | null = null

  /** Throws where `canParseRequests` is false. */
  constructor(maxHeaderSize: number, listener: RequestParserListener) {
    if (llhttp === null) throw new Error('this Node does not expose its HTTP parser')
    this.#parser = new llhttp()
    this.#maxHeaderSize = maxHeaderSize
    this.#listener = listener
    this.restart()
    this.#parser[llhttp.kOnHeaders] = (pairs: string[], url: string) => this.#onHeaders(pairs, url)
    this.#parser[llhttp.kOnHeadersComplete] = (...head: HeadArguments) => this.#onHead(head)
    this.#parser[llhttp.kOnBody] = (piece: Buffer) => {
      if (this.#isInBody) this.#listener.requestBody(piece)
    }
    this.#parser[llhttp.kOnMessageComplete] = () => this.#onComplete()
  }

  /** The next byte is the first of a request, whatever came before. */
  restart(): void {
    expectMessage(this.#parser, 'REQUEST', this.#maxHeaderSize)
  }

  /** Parses what has come, and returns how many bytes of it have been used: all, unless the listener had it stop, or there is a `fault`. */
  take(bytes: Buffer): number {
    this.hasStopped = false
    this.isInHead = !this.#isInBody
    const used = this.#parser.execute(bytes)
    if (typeof used !== 'number') {
      this.fault = used.code ?? 'HPE_UNKNOWN'
      return 0
    }
    // Of a request that asks for an upgrade, the parser does not say what is wrong with its body: it only stops.
    if (used < bytes.length && !this.hasStopped) this.fault = 'HPE_UNKNOWN'
    return used
  }

  close(): void {
    this.#parser.close()
  }

  #onHeaders(pairs: string[], url: string): void {
    if (this.#isInBody) this.#trailers = this.#trailers.concat(pairs)
    else this.#parts.add(pairs, url)
  }

  #onHead([major, minor, rest, method, target, , , upgrade, keepAlive]: HeadArguments): number {
    this.isInHead = false
    const { headers, url } = this.#parts.complete(rest, target)
    const head = { method: methods[method] ?? '', url, version: `${major}.${minor}`, headers, keepAlive, upgrade }
    this.#isInBody = this.#listener.requestHead(head)
    this.#mayUpgrade = upgrade
    this.hasStopped = !this.#isInBody
    return this.#isInBody ? bodyFollows : stopHere
  }

  #onComplete(): void {
    if (!this.#isInBody) return
    this.#isInBody = false
    // Behind such a request the parser expects another protocol.
    this.hasStopped = this.#mayUpgrade
    const trailers = this.#trailers
    this.#trailers = none
    this.#listener.requestEnd(trailers)
  }
}

function methodsOf(parserClass: NonNullable<typeof llhttp>): readonly (string | undefined)[] {
  const found: string[] = []
  for (const name of METHODS) {
    const parser = new parserClass()
    expectMessage(parser, 'REQUEST', 0)
    parser[parserClass.kOnHeadersComplete] = (...[, , , method]: HeadArguments) => {
      found[method] = name
      return bodyFollows
    }
    parser.execute(Buffer.from(`${name} / HTTP/1.1\r\nHost: a\r\n\r\n`))
    parser.close()
  }
  return found
}
