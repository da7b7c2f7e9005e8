import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { LocalAnswer } from '../dialect/dialect.ts'
import { problem } from './excuses.ts'

const late = problem(408, 'request_timeout', 'The request did not come in time.')
const noHttp = problem(400, 'bad_request', 'This is not a valid HTTP request.')
const noConnect = problem(405, 'method_not_allowed', 'CONNECT is not accepted.')

/** What node's parser and its deadlines object to; whatever else they do is no HTTP. */
const answers: Readonly<Record<string, LocalAnswer>> = {
  HPE_HEADER_OVERFLOW: problem(431, 'headers_too_large', 'The head of the request is too long.'),
  HPE_CHUNK_EXTENSIONS_OVERFLOW: problem(413, 'bad_request', 'The chunk extensions are too long.'),
  ERR_HTTP_REQUEST_TIMEOUT: late,
}

/** For a client that does not read its answers, in ms. */
const unreadMs = 5_000

/** Answers what does not become a request; each answer ends its connection. */
export class Objections {
  readonly #marks: () => readonly string[]
  /** The latest request of a connection that node:http serves. */
  readonly #latest = new WeakMap<Socket, ServerResponse>()
  readonly #made = new WeakSet<Socket>()

  /** `marks` are the raw pairs that every answer carries. */
  constructor(marks: () => readonly string[]) {
    this.#marks = marks
  }

  /** node:http has read a request. */
  noteRequest(response: ServerResponse): void {
    // Behind others it has no connection of its own yet.
    this.#latest.set(response.req.socket, response)
  }

  /** Calls back when the requests before this point of the connection have their answers; not when it breaks before that. */
  afterAnswers(socket: Socket, then: () => void): void {
    const latest = this.#latest.get(socket)
    if (!latest || latest.writableFinished) {
      then()
      return
    }
    // node may have let go of the connection, and then tells nobody any more that it takes more.
    const onDrain = () => latest.emit('drain')
    socket.on('drain', onDrain).on('error', ignore)
    latest.once('close', () => {
      socket.off('drain', onDrain).off('error', ignore)
      if (socket.writable) then()
      else socket.destroy()
    })
  }

  /** node:http cannot read what has come. */
  unreadable(error: NodeJS.ErrnoException, socket: Socket): void {
    if (this.#made.has(socket)) return
    this.#made.add(socket)
    const latest = this.#latest.get(socket)
    const object = () => {
      if (socket.writable && !(latest?.headersSent && !latest.writableFinished)) {
        socket.write(this.#text(answers[error.code ?? ''] ?? noHttp), 'latin1')
      }
      socket.setTimeout(unreadMs, () => socket.destroy())
      socket.destroySoon()
    }
    // What cannot be read may be the rest of that request.
    if (latest?.req.complete) this.afterAnswers(socket, object)
    else object()
  }

  /** The body of a request has not come in time. */
  late(): string {
    return this.#text(late)
  }

  connect(): string {
    return this.#text(noConnect)
  }

  #text({ status, headers, body }: LocalAnswer): string {
    let head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n`
    const pairs = [...this.#marks(), ...Object.entries(headers).flat(), 'content-length', String(body.length)]
    for (let at = 0; at < pairs.length; at += 2) head += `${pairs[at]}: ${pairs[at + 1]}\r\n`
    return `${head}\r\n${body}`
  }
}

function ignore(): void {}
