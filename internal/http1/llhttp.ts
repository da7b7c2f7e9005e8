import { createRequire } from 'node:module'

/** The part of node's llhttp binding that is used here; it is the one that node:http itself parses with. */
export interface Llhttp {
  initialize(type: number, resource: object, maxHeaderSize: number, lenient: number): void
  /** How many bytes were parsed; an Error when they are no HTTP. */
  execute(bytes: Buffer): number | NodeJS.ErrnoException
  /** The connection has ended; an Error when that is in the middle of a message. */
  finish(): Error | undefined
  close(): void
  [event: number]: unknown
}

interface LlhttpClass {
  new (): Llhttp
  readonly REQUEST: number
  readonly RESPONSE: number
  readonly kLenientNone: number
  readonly kOnMessageBegin: number
  readonly kOnHeaders: number
  readonly kOnHeadersComplete: number
  readonly kOnBody: number
  readonly kOnMessageComplete: number
}

/** What `kOnHeadersComplete` gets. Headers are raw pairs, unless there were so many that they came in parts before. */
export type HeadArguments = [
  major: number,
  minor: number,
  headers: string[] | undefined,
  method: number,
  url: string | undefined,
  status: number,
  reason: string | undefined,
  upgrade: boolean,
  keepAlive: boolean,
]

/** What may be returned of a head: how its body is to be parsed. */
export const bodyFollows = 0
export const noBody = 1
/** Parsing stops behind the head; `execute` says where that is. */
export const stopHere = 2

/** Node's parser class; null where this Node does not expose it. README.md says why it is used, and what happens without it. */
export const llhttp = ((): LlhttpClass | null => {
  try {
    return createRequire(import.meta.url)('node:_http_common').HTTPParser ?? null
  } catch {
    return null
  }
})()

/** The async resource that a parser has to be given; it is not used. */
const resource = {}

/** Resets `parser`, so that the next byte is the first of a message. Heads longer than `maxHeaderSize` bytes are errors. */
export function expectMessage(parser: Llhttp, type: 'REQUEST' | 'RESPONSE', maxHeaderSize: number): void {
  if (llhttp === null) throw new Error('this Node does not expose its HTTP parser')
  parser.initialize(llhttp[type], resource, maxHeaderSize, llhttp.kLenientNone)
}

/** Joins a head that the parser gives in parts, as it does when there are many headers. */
export class HeadParts {
  #headers: string[] = []
  #url = ''

  add(headers: string[], url: string): void {
    this.#headers = this.#headers.concat(headers)
    this.#url += url
  }

  /** The headers and the target of a head that is complete with these. */
  complete(headers: string[] | undefined, url: string | undefined): { headers: string[]; url: string } {
    if (this.#headers.length === 0) return { headers: headers ?? [], url: url ?? '' }
    const all = { headers: this.#headers, url: this.#url }
    this.forget()
    return all
  }

  forget(): void {
    this.#headers = []
    this.#url = ''
  }
}
