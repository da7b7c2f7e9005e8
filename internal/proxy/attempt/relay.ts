import type { Outcome } from '../../pool/pool.ts'
import type { AnswerCount } from './answer-count.ts'
import type { Forward } from './forward.ts'
import type { LateErrors } from './late-errors.ts'
import type { Redactor } from './redact.ts'

/** What a relay calls for an error event in a stream that is passed on. */
export interface RelayListener {
  late(outcome: Outcome): void
  /** The answer cannot go on: what came before the error has been sent. */
  failedLate(): void
}

/** The part of an answer that goes to the client: watched for late errors, counted, without our secret, and then forwarded. */
export class Relay {
  readonly #forward: Forward
  readonly #listener: RelayListener
  readonly #late: LateErrors | null
  readonly #redactor: Redactor | null
  readonly #count: AnswerCount | null

  constructor(
    forward: Forward,
    listener: RelayListener,
    checks: { late: LateErrors | null; redactor: Redactor | null; count: AnswerCount | null },
  ) {
    this.#forward = forward
    this.#listener = listener
    this.#late = checks.late
    this.#redactor = checks.redactor
    this.#count = checks.count
  }

  /** Whether bytes of the answer have been sent, so that no other answer can take its place. */
  get isOpened(): boolean {
    return this.#forward.isOpened
  }

  /** Whether the client has to catch up first. */
  get isBlocked(): boolean {
    return this.#forward.isBlocked
  }

  /** Passes a chunk on that unpacks to `plain`; false when the upstream is to wait. */
  pass(chunk: Buffer, plain: Buffer | null): boolean {
    this.#count?.take(chunk, plain)
    const late = plain === null ? null : (this.#late?.read(plain) ?? null)
    if (late === null) return this.write(chunk)
    this.#listener.late(late.outcome)
    if (late.outcome.kind === 'request-fault') return this.write(chunk)
    // Of a packed chunk no part can be told from the error.
    if (plain === chunk && late.at > 0) this.write(chunk.subarray(0, late.at))
    this.#listener.failedLate()
    return true
  }

  /** Passes on what has been looked at already; false when the upstream is to wait. */
  write(chunk: Buffer): boolean {
    if (this.#redactor === null) return this.#forward.write(chunk)
    const clean = this.#redactor.chunk(chunk)
    return clean.length === 0 || this.#forward.write(clean)
  }

  /** The answer is complete. */
  end(): void {
    const rest = this.#redactor?.end()
    if (rest?.length) this.#forward.write(rest)
    this.#forward.end()
    this.#count?.end(true)
  }

  /** The client hears of it by a reset: a clean end would make the part look like the whole, and an error event makes agents give up. */
  break(): void {
    this.#forward.break()
    this.#count?.end(false)
  }

  /** Forgets the client: nothing more is written. */
  abandon(): void {
    this.#forward.abandon()
    this.#count?.end(false)
  }
}
