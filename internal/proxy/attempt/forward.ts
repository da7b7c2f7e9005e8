import type { Clock } from '../../clock/clock.ts'
import { headerIn, longestSingleWrite, type OutgoingResponse, reset } from '../../http1/http1.ts'

/** The head of an answer as it goes to the client. */
export interface Head {
  readonly status: number
  readonly headers: string[]
}

/**
 * How long after the last bytes a reset follows, in ms: to a client on libuv, a reset that is there together with unread
 * bytes looks like a clean end.
 */
const resetGapMs = 100

/** What a Forward works with. */
export interface ForwardDeps {
  readonly clock: Clock
  /** How long, in ms, a client may leave bytes unread before its connection is closed. */
  readonly idleMs: number
  /** Lets the upstream go on after the client has caught up. */
  readonly resume: () => void
}

/**
 * Passes one answer on to the client, with backpressure. Head and body are kept together until the end of the turn of
 * the event loop in which the first of them came: what is complete by then leaves in a single write, with its length.
 */
export class Forward {
  readonly #response: OutgoingResponse
  readonly #head: Head
  readonly #deps: ForwardDeps
  #early: Buffer[] = []
  /** How much of a body of known length has not come. */
  #missing: number
  #waits = false
  #opened = false
  #over = false
  #blocked = false
  #forgetStall: () => void = () => {}

  constructor(response: OutgoingResponse, head: Head, deps: ForwardDeps) {
    this.#response = response
    this.#head = head
    this.#deps = deps
    this.#missing = Number(headerIn(head.headers, 'content-length') ?? Number.POSITIVE_INFINITY)
    // A body that is promised comes at once, or its head is of no use yet.
    if (this.#missing === Number.POSITIVE_INFINITY) this.#wait()
  }

  /** Whether bytes of the answer have been sent, so that no other answer can take its place. */
  get isOpened(): boolean {
    return this.#opened
  }

  /** Whether the client has to catch up first. */
  get isBlocked(): boolean {
    return this.#blocked
  }

  /** Sends `chunk`; false when the upstream has to wait until the client has caught up. */
  write(chunk: Buffer): boolean {
    if (!this.#opened) {
      this.#early.push(chunk)
      this.#missing -= chunk.length
      if (this.#missing > 0) this.#wait()
      return true
    }
    return this.#send(chunk)
  }

  /** The answer is complete. */
  end(): void {
    this.#over = true
    this.#forgetStall()
    if (this.#opened) {
      this.#response.end()
      return
    }
    const body = this.#early.length === 1 ? (this.#early[0] as Buffer) : Buffer.concat(this.#early)
    const { status, headers } = this.#head
    if (body.length > 0 && this.#missing === Number.POSITIVE_INFINITY) {
      headers.push('content-length', String(body.length))
    }
    this.#response.writeHead(status, headers)
    if (body.length > longestSingleWrite) this.#response.end(body)
    else this.#response.end(body.toString('latin1'), 'latin1')
  }

  /** Breaks the client's connection with a reset, because the rest is missing: some agents come again after nothing else. */
  break(): void {
    this.open()
    this.abandon()
    const { socket } = this.#response
    if (socket) this.#deps.clock.after(resetGapMs, () => reset(socket))
  }

  /** Sends the head and what has come, unless that has been done: at the latest at the end of the turn in which the answer began. */
  open(): void {
    if (this.#over || this.#opened) return
    this.#opened = true
    this.#response.writeHead(this.#head.status, this.#head.headers)
    if (this.#early.length === 0) this.#response.flushHeaders()
    for (const chunk of this.#early) this.#send(chunk)
    this.#early = []
  }

  /** Forgets the client: nothing more is written. */
  abandon(): void {
    this.#over = true
    this.#forgetStall()
  }

  #wait(): void {
    if (this.#waits) return
    this.#waits = true
    process.nextTick(open, this)
  }

  #send(chunk: Buffer): boolean {
    const flowing = this.#response.write(chunk)
    if (!flowing && !this.#blocked) this.#block()
    return flowing
  }

  #block(): void {
    this.#blocked = true
    const { clock, idleMs, resume } = this.#deps
    this.#forgetStall = clock.after(idleMs, () => this.#response.destroy())
    this.#response.once('drain', () => {
      this.#blocked = false
      this.#forgetStall()
      if (!this.#over) resume()
    })
  }
}

function open(forward: Forward): void {
  forward.open()
}
