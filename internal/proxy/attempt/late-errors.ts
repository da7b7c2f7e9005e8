import type { Dialect, StreamEvent } from '../../dialect/dialect.ts'
import type { Outcome } from '../../pool/pool.ts'
import { EventReader } from './event-reader.ts'
import { maxLifecycle, mayBeLong } from './stream.ts'

const lf = 10
const cr = 13

/** An unfinished event is kept up to this length, in bytes, unless its name says that it is an error. */
const maxTail = 65_536
/** How much of an unfinished event is looked at for its name, in bytes. */
const maxName = 256

/** An error event in a stream. */
export interface LateError {
  readonly outcome: Outcome
  /** Where in the latest chunk the event begins; 0 if it began before. */
  readonly at: number
}

/**
 * Finds error events in a stream that is passed on already. Nearly all chunks are ruled out by a native search for
 * the words of a failure; only the event around it is parsed. An unfinished event is kept until its end comes.
 */
export class LateErrors {
  readonly #dialect: Dialect
  readonly #words: readonly Buffer[]
  readonly #now: () => number
  readonly #oauth: boolean | undefined
  #tail: Buffer[] = []
  #tailLength = 0

  /** `oauth`: whether the credential is an OAuth token; left out: what is usual. */
  constructor(dialect: Dialect, now: () => number, oauth?: boolean) {
    this.#dialect = dialect
    this.#words = dialect.failureWords.map((word) => Buffer.from(word))
    this.#oauth = oauth
    this.#now = now
  }

  /** The first error event that this chunk completes; null nearly always. */
  read(chunk: Buffer): LateError | null {
    const before = this.#tailLength
    const bytes = this.#joined(chunk)
    if (bytes === null) return null
    const end = lastEventEnd(bytes)
    this.#keep(bytes.subarray(end))
    return this.#find(bytes, end, before)
  }

  /** The unfinished event with what comes behind it; null while its end cannot be in it. */
  #joined(chunk: Buffer): Buffer | null {
    if (this.#tailLength === 0) return chunk
    // An end that is cut has its last byte in the chunk; chunks may be as short as a byte.
    const border = Buffer.concat([...this.#tail.slice(-2).map((part) => part.subarray(-2)), chunk.subarray(0, 2)])
    if (lastEventEnd(chunk) === 0 && lastEventEnd(border) === 0) {
      this.#tail.push(chunk)
      this.#tailLength += chunk.length
      if (this.#isTooLong) this.#keep(chunk.subarray(chunk.length))
      return null
    }
    return Buffer.concat([...this.#tail, chunk])
  }

  #keep(rest: Buffer): void {
    this.#tail = rest.length === 0 ? [] : [rest]
    this.#tailLength = rest.length
    if (rest.length > 0 && this.#isTooLong) this.#keep(rest.subarray(rest.length))
  }

  get #isTooLong(): boolean {
    if (this.#tailLength <= maxTail) return false
    if (this.#tailLength > maxLifecycle) return true
    const reader = new EventReader(true)
    reader.push(Buffer.concat(this.#tail, maxName))
    return !mayBeLong(reader.unfinishedName, this.#dialect, this.#now())
  }

  /** `before` of the bytes were here before the latest chunk. */
  #find(bytes: Buffer, end: number, before: number): LateError | null {
    let suspect = this.#suspect(bytes, 0)
    while (suspect < end) {
      const from = lastEventEnd(bytes.subarray(0, suspect))
      const to = suspect + firstEventEnd(bytes.subarray(suspect, end))
      for (const event of new EventReader(true).push(bytes.subarray(from, to))) {
        const outcome = this.#failure(event)
        if (outcome) return { outcome, at: Math.max(0, from - before) }
      }
      suspect = this.#suspect(bytes, to)
    }
    return null
  }

  /** Where the next word of a failure is; Infinity when there is none. */
  #suspect(bytes: Buffer, from: number): number {
    let next = Number.POSITIVE_INFINITY
    for (const word of this.#words) {
      const at = bytes.indexOf(word, from)
      if (at !== -1 && at < next) next = at
    }
    return next
  }

  #failure(event: StreamEvent): Outcome | null {
    const isNamed = (word: string) => event.data.includes(word) || event.event?.includes(word)
    if (!this.#dialect.failureWords.some(isNamed)) return null
    const meaning = this.#dialect.classifyEvent(event, this.#now(), this.#oauth)
    return meaning === 'lifecycle' || meaning === 'content' || meaning.kind === 'success' ? null : meaning
  }
}

/** How lines end an event: by an empty one, with any line ending (WHATWG HTML, 9.2); an LF behind the last CR is part of it. */
const twoLf = '\n\n'
const twoWithCr = ['\n\r', '\r\r'] as const

/** Where the last complete event of `bytes` ends: after its empty line. */
function lastEventEnd(bytes: Buffer): number {
  const size = bytes.length
  if (bytes[size - 1] === lf && (bytes[size - 2] === lf || (bytes[size - 2] === cr && bytes[size - 3] === lf)))
    return size
  const plain = bytes.lastIndexOf(twoLf)
  let end = plain === -1 ? 0 : plain + 2
  if (bytes.lastIndexOf(cr) < end) return end
  for (const pair of twoWithCr) {
    const at = bytes.lastIndexOf(pair)
    if (at !== -1) end = Math.max(end, behindCr(bytes, at + 2))
  }
  return end
}

/** Where the first event of `bytes` ends, or their end. */
function firstEventEnd(bytes: Buffer): number {
  const plain = bytes.indexOf(twoLf)
  let end = plain === -1 ? bytes.length : plain + 2
  for (const pair of twoWithCr) {
    const at = bytes.indexOf(pair)
    if (at !== -1) end = Math.min(end, behindCr(bytes, at + 2))
  }
  return end
}

/** Where a line that ends with the CR before `at` really ends. */
function behindCr(bytes: Buffer, at: number): number {
  return bytes[at] === lf ? at + 1 : at
}
