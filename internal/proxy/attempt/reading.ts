import { type Dialect, isUsageHeader, usageOf } from '../../dialect/dialect.ts'
import { headerIn } from '../../http1/http1.ts'
import type { At, Outcome, Usage } from '../../pool/pool.ts'
import { codingOf, isPlain } from '../upstream/codings.ts'
import { RefusedBody } from './refused-body.ts'
import { maxLifecycle, Opening } from './stream.ts'

/** The head of an upstream's answer. */
export interface AnswerHead {
  /** The method that was asked with. */
  readonly method: string
  readonly status: number
  /** Raw pairs. */
  readonly headers: readonly string[]
  /** Whether the credential is an OAuth token. */
  readonly oauth: boolean
}

/** What is held back at most, in bytes, before an answer counts as begun. */
export const maxHeld = 65_536

/** A 200 that is longer than this, in bytes, is an answer: error messages are short. */
const maxPackedError = 8_192

/** Which part of an answer decides what it means: the head alone, the whole error body, the first events, or the first bytes of JSON. */
type DecidedBy = 'nothing' | 'refusal' | 'events' | 'json'

/** What raw headers say of the limits of the member that answered; empty when they say nothing. */
export function usageIn(headers: readonly string[], now: At): readonly Usage[] {
  const names: string[] = []
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] as string
    if (isUsageHeader(name)) names.push(name.toLowerCase())
  }
  return names.length === 0 ? [] : usageOf((name) => headerIn(headers, name), names, now)
}

/** Gives the outcome of one answer from its head and as little of its body as possible. */
export class Reading {
  readonly #head: AnswerHead
  readonly #dialect: Dialect
  #opening: Opening | null = null
  #watch: DecidedBy

  constructor(head: AnswerHead, dialect: Dialect) {
    this.#head = head
    this.#dialect = dialect
    this.#watch = watchFor(head, dialect.errorInOk)
  }

  /** Whether the answer is a stream of events that can be looked into. */
  get isStream(): boolean {
    return this.#watch === 'events'
  }

  /** The coding in which the stream's events are packed; null where there are none, or plain ones. */
  get streamCoding(): string | null {
    const coding = headerIn(this.#head.headers, 'content-encoding')
    return this.isStream && coding !== undefined && !isPlain(coding) ? coding : null
  }

  /** How many bytes are held at most until it is understood. */
  get maxHeld(): number {
    return this.isStream ? maxLifecycle : maxHeld
  }

  /** Whether the answer refuses, as far as its head says. */
  get isRefusal(): boolean {
    return this.#watch === 'refusal'
  }

  /** Whether the body has to come within a time; how a JSON answer begins is seen with its first bytes. */
  get hasDeadline(): boolean {
    return this.#watch === 'events' || this.#watch === 'refusal'
  }

  /** The outcome that the head alone gives; null when the body has to be looked at. */
  begin(now: At): Outcome | null {
    return this.#watch === 'nothing' ? this.#classify(null, now) : null
  }

  /** The outcome after another chunk, which is unpacked if it is one of a stream; null when nothing decisive has come yet. */
  next(chunk: Buffer, held: Held, now: At): Outcome | null {
    if (this.#watch === 'json') {
      if (!mayBeError(chunk, this.#head)) return this.#classify(null, now)
      this.#watch = 'refusal'
    }
    if (this.#watch === 'events') {
      this.#opening ??= new Opening(this.#dialect, this.#head.oauth)
      const meaning = this.#opening.read(chunk, now)
      if (meaning === null) return null
      return meaning === 'content' ? this.#classify(null, now) : meaning
    }
    return held.bytes >= maxHeld ? this.conclude(held, now) : null
  }

  /** The outcome of what is here; asked when nothing more comes, or not in time. */
  conclude(held: Held, now: At): Outcome {
    return this.#classify(this.isRefusal ? this.body(held).text : null, now)
  }

  /** The held body as that of a refusal. */
  body({ parts, complete }: Held): RefusedBody {
    return new RefusedBody(parts, { coding: headerIn(this.#head.headers, 'content-encoding'), complete })
  }

  #classify(body: string | null, now: At): Outcome {
    const { status, headers, oauth } = this.#head
    const header = (name: string) => headerIn(headers, name)
    const headerNames = () => headers.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase())
    return this.#dialect.classify({ status, header, headerNames, body, oauth }, now)
  }
}

/** The part of a body that has come and has not been passed on. */
export interface Held {
  readonly parts: readonly Buffer[]
  readonly bytes: number
  readonly complete: boolean
}

function watchFor({ method, status, headers }: AnswerHead, errorInOk: boolean): DecidedBy {
  if (method === 'HEAD') return 'nothing'
  if (status >= 400) return 'refusal'
  if (status >= 300) return 'nothing'
  const type = headerIn(headers, 'content-type') ?? ''
  const coding = headerIn(headers, 'content-encoding')
  const packed = !isPlain(coding)
  if (/^text\/event-stream/i.test(type)) return packed && !codingOf(coding ?? '') ? 'nothing' : 'events'
  if (!errorInOk || !/^application\/json/i.test(type)) return 'nothing'
  if (!packed) return 'json'
  const length = Number(headerIn(headers, 'content-length'))
  return length <= maxPackedError ? 'refusal' : 'nothing'
}

/**
 * An error under a 200 begins the body, `{"error"` or `[{"error"`, whatever the white space; or it is short and has a word
 * of those providers that put their result beside the answer.
 */
function mayBeError(chunk: Buffer, { headers }: AnswerHead): boolean {
  const start = chunk.subarray(0, 256)
  if (start.includes('"error"') && /^\s*\[?\s*\{\s*"error"/.test(start.toString('latin1'))) return true
  const length = Number(headerIn(headers, 'content-length') ?? chunk.length)
  return length <= maxPackedError && (chunk.includes('"base_resp"') || chunk.includes('"success":false'))
}
