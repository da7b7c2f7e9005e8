import type { IncomingMessage } from 'node:http'
import type { Clock } from '../../clock/clock.ts'
import type { Dialect } from '../../dialect/dialect.ts'
import type { OutgoingResponse } from '../../http1/http1.ts'
import type { Outcome } from '../../pool/pool.ts'
import { type Presentation, presentedHeaders } from '../attempt/presentation.ts'
import { maxHeld, Reading } from '../attempt/reading.ts'
import { Redactor } from '../attempt/redact.ts'
import { putHeader } from '../upstream/headers.ts'

/** How long the body of a refusal may take, in ms. */
const longestBodyMs = 2_000

/** An upstream's answer that is no upgrade, read as far as it takes to understand it: 64 KiB at most. */
export class Rejection {
  readonly #response: IncomingMessage
  readonly #clock: Clock
  readonly #reading: Reading
  readonly #onUnderstood: (outcome: Outcome) => void
  #parts: Buffer[] = []
  #bytes = 0
  #complete = false
  #settled = false

  constructor(
    response: IncomingMessage,
    about: { dialect: Dialect; clock: Clock; oauth: boolean },
    onUnderstood: (outcome: Outcome) => void,
  ) {
    const { rawHeaders: headers, statusCode: status = 0 } = response
    this.#response = response
    this.#clock = about.clock
    this.#reading = new Reading({ method: 'GET', status, headers, oauth: about.oauth }, about.dialect)
    this.#onUnderstood = onUnderstood
  }

  /** Whether it is complete and can be searched for our secret. */
  get presentable(): boolean {
    return this.#complete && !this.#reading.body(this.#held).unreadable
  }

  /** Begins to read; what is understood is told once. */
  read(): void {
    const outcome = this.#reading.begin(this.#clock.now())
    if (outcome) {
      // What leads elsewhere is in the headers.
      this.#complete = true
      this.#settle(outcome)
      return
    }
    const forget = this.#clock.after(longestBodyMs, () => this.#conclude())
    this.#response
      .on('data', (chunk: Buffer) => this.#gather(chunk))
      .on('error', () => this.#conclude())
      .on('close', () => {
        forget()
        this.#conclude()
      })
      .on('end', () => {
        this.#complete = this.#bytes <= maxHeld
        this.#conclude()
      })
  }

  /** Gives it to the client, without our secret, and closes the client's connection. */
  show(response: OutgoingResponse, secret: string, { marks, retryAfterSeconds }: Presentation): void {
    const redactor = new Redactor(secret)
    const headers = presentedHeaders(this.#response.rawHeaders, retryAfterSeconds)
    redactor.headers(headers)
    const { bytes, decoded } = this.#reading.body(this.#held).clean(redactor)
    if (decoded) putHeader(headers, 'content-encoding', null)
    putHeader(headers, 'content-length', String(bytes.length))
    headers.push(...marks)
    putHeader(headers, 'connection', 'close')
    response.writeHead(this.#response.statusCode ?? 502, headers).end(bytes)
  }

  get #held() {
    return { parts: this.#parts, bytes: this.#bytes, complete: this.#complete }
  }

  #gather(chunk: Buffer): void {
    if (this.#settled) return
    this.#parts.push(chunk)
    this.#bytes += chunk.length
    if (this.#bytes > maxHeld) this.#conclude()
  }

  #conclude(): void {
    if (!this.#settled) this.#settle(this.#reading.conclude(this.#held, this.#clock.now()))
  }

  #settle(outcome: Outcome): void {
    this.#settled = true
    this.#onUnderstood(outcome)
  }
}
