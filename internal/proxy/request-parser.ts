import { METHODS } from 'node:http'
import { createRequire } from 'node:module'

/** What a parser tells of the requests of a connection, in the order of their bytes. */
export interface RequestListener {
  /** The first byte of a request has come. */
  requestBegins(): void
  requestHead(head: ParsedHead): void
  requestBody(bytes: Buffer): void
  requestEnds(): void
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
}

/** The part of node's llhttp binding that is used here; it is the one that node:http itself parses with. */
interface Llhttp {
  initialize(type: number, resource: object, maxHeaderSize: number, lenient: number): void
  execute(bytes: Buffer): number | Error
  close(): void
  [event: number]: unknown
}

interface LlhttpClass {
  new (): Llhttp
  readonly REQUEST: number
  readonly kLenientNone: number
  readonly kOnMessageBegin: number
  readonly kOnHeaders: number
  readonly kOnHeadersComplete: number
  readonly kOnBody: number
  readonly kOnMessageComplete: number
}

/** node's parser class; null on a node that keeps it to itself. */
const llhttp = ((): LlhttpClass | null => {
  try {
    return createRequire(import.meta.url)('node:_http_common').HTTPParser ?? null
  } catch {
    return null
  }
})()

/** The numbers that this node's parser gives to methods, asked from itself: its own table is not public. */
const methods = llhttp === null ? [] : methodsOf(llhttp)

/** Whether requests can be parsed without node:http around it. */
export const canParseRequests = methods.includes('POST')

/** node's strict request parser, llhttp with no leniency, without the streams that node:http puts on top. */
export class RequestParser {
  readonly #parser: Llhttp
  readonly #begin: () => void

  /** Throws where `canParseRequests` is false. */
  constructor(maxHeaderSize: number, listener: RequestListener) {
    if (llhttp === null) throw new Error('node keeps its parser to itself')
    const { REQUEST, kLenientNone } = llhttp
    const parser = new llhttp()
    this.#parser = parser
    this.#begin = () => parser.initialize(REQUEST, {}, maxHeaderSize, kLenientNone)
    this.#begin()
    listen(parser, llhttp, listener)
  }

  /** The next byte is the first of a request, whatever came before. */
  restart(): void {
    this.#begin()
  }

  /** Parses what has come; false when it is no HTTP. */
  take(bytes: Buffer): boolean {
    return typeof this.#parser.execute(bytes) === 'number'
  }

  close(): void {
    this.#parser.close()
  }
}

function listen(parser: Llhttp, event: LlhttpClass, listener: RequestListener): void {
  let early: string[] = []
  let earlyUrl = ''
  parser[event.kOnMessageBegin] = () => listener.requestBegins()
  // A head of many headers comes in parts.
  parser[event.kOnHeaders] = (part: string[], url: string) => {
    early = early.concat(part)
    earlyUrl += url
  }
  parser[event.kOnHeadersComplete] = (...[major, minor, rest, method, target, , , , keepAlive]: HeadArguments) => {
    const headers = early.length === 0 ? (rest ?? []) : early
    const url = early.length === 0 ? (target ?? '') : earlyUrl
    early = []
    earlyUrl = ''
    listener.requestHead({
      method: methods[method] ?? '',
      url,
      version: `${major}.${minor}`,
      headers,
      keepAlive,
    })
    return 0
  }
  parser[event.kOnBody] = (bytes: Buffer) => listener.requestBody(bytes)
  parser[event.kOnMessageComplete] = () => listener.requestEnds()
}

type HeadArguments = [
  major: number,
  minor: number,
  headers: string[] | undefined,
  method: number,
  url: string | undefined,
  status: undefined,
  reason: undefined,
  upgrade: boolean,
  keepAlive: boolean,
]

function methodsOf(parserClass: LlhttpClass): readonly (string | undefined)[] {
  const found: string[] = []
  for (const name of METHODS) {
    const parser = new parserClass()
    parser.initialize(parserClass.REQUEST, {}, 0, parserClass.kLenientNone)
    parser[parserClass.kOnHeadersComplete] = (_major: number, _minor: number, _headers: unknown, method: number) => {
      found[method] = name
      return 0
    }
    parser.execute(Buffer.from(`${name} / HTTP/1.1\r\nHost: a\r\n\r\n`))
    parser.close()
  }
  return found
}
