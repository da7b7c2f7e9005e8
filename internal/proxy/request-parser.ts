import { METHODS } from 'node:http'
import { bodyFollows, expectMessage, type HeadArguments, HeadParts, type Llhttp, llhttp, stopHere } from './llhttp.ts'

/** What a parser tells of the requests of a connection. */
export interface RequestListener {
  /** Whether the body, or its absence, is read from the connection by its length; otherwise it is parsed and skipped. */
  requestHead(head: ParsedHead): boolean
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

/** The numbers that this node's parser gives to methods, asked from itself: its own table is not public. */
const methods = llhttp === null ? [] : methodsOf(llhttp)

/** Whether requests can be parsed without node:http around it. */
export const canParseRequests = methods.includes('POST')

/** node's strict request parser, llhttp with no leniency, without the streams that node:http puts on top. */
export class RequestParser {
  readonly #parser: Llhttp
  readonly #maxHeaderSize: number

  /** Throws where `canParseRequests` is false. */
  constructor(maxHeaderSize: number, listener: RequestListener) {
    if (llhttp === null) throw new Error('node keeps its parser to itself')
    this.#parser = new llhttp()
    this.#maxHeaderSize = maxHeaderSize
    this.restart()
    listen(this.#parser, listener)
  }

  /** The next byte is the first of a request, whatever came before. */
  restart(): void {
    expectMessage(this.#parser, 'REQUEST', this.#maxHeaderSize)
  }

  /** Parses what has come: how many bytes of it belong to a head whose body is read by its length, or were parsed; -1 when it is no HTTP. */
  take(bytes: Buffer): number {
    const parsed = this.#parser.execute(bytes)
    return typeof parsed === 'number' ? parsed : -1
  }

  close(): void {
    this.#parser.close()
  }
}

function listen(parser: Llhttp, listener: RequestListener): void {
  if (llhttp === null) return
  const parts = new HeadParts()
  parser[llhttp.kOnHeaders] = (headers: string[], url: string) => parts.add(headers, url)
  parser[llhttp.kOnHeadersComplete] = (...[major, minor, rest, method, target, , , , keepAlive]: HeadArguments) => {
    const { headers, url } = parts.complete(rest, target)
    const head = { method: methods[method] ?? '', url, version: `${major}.${minor}`, headers, keepAlive }
    return listener.requestHead(head) ? stopHere : bodyFollows
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
