import type { Dialect, StreamEvent } from '../dialect/dialect.ts'
import type { At, Outcome } from '../pool/pool.ts'

const lf = 10
const cr = 13

/**
 * Reads server-sent events (WHATWG HTML, 9.2) from bytes as they come: any line ending, lines and events across chunks,
 * data of several lines. Comments, ids and retry times say nothing about an answer and are skipped.
 */
export class EventReader {
  #line: Buffer[] = []
  #event: string | null = null
  #data: string[] = []
  #afterCr = false
  #first = true

  /** The events that this chunk completes. */
  push(chunk: Buffer): StreamEvent[] {
    const events: StreamEvent[] = []
    let from = this.#afterCr && chunk[0] === lf ? 1 : 0
    if (chunk.length > 0) this.#afterCr = false
    for (let end = lineEnd(chunk, from); end !== -1; end = lineEnd(chunk, from)) {
      this.#take(this.#wholeLine(chunk.subarray(from, end)), events)
      from = end + 1
      if (chunk[end] !== cr) continue
      if (from === chunk.length) this.#afterCr = true
      else if (chunk[from] === lf) from++
    }
    if (from < chunk.length) this.#line.push(chunk.subarray(from))
    return events
  }

  #wholeLine(end: Buffer): string {
    const line = this.#line.length === 0 ? end.toString() : Buffer.concat([...this.#line, end]).toString()
    this.#line = []
    const withoutMark = this.#first && line.startsWith('\ufeff') ? line.slice(1) : line
    this.#first = false
    return withoutMark
  }

  #take(line: string, events: StreamEvent[]): void {
    if (line === '') {
      if (this.#data.length > 0) events.push({ event: this.#event, data: this.#data.join('\n') })
      this.#event = null
      this.#data = []
      return
    }
    const colon = line.indexOf(':')
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'data') this.#data.push(value)
    else if (field === 'event') this.#event = value
  }
}

function lineEnd(chunk: Buffer, from: number): number {
  const newline = chunk.indexOf(lf, from)
  const limit = newline === -1 ? chunk.length : newline
  const carriage = chunk.subarray(from, limit).indexOf(cr)
  return carriage === -1 ? newline : from + carriage
}

/** Looks at the beginning of a stream until an event says whether it is an answer or an error. */
export class Opening {
  readonly #dialect: Dialect
  readonly #reader = new EventReader()

  constructor(dialect: Dialect) {
    this.#dialect = dialect
  }

  /** `content`: the answer has begun; an outcome: it is an error; null: nothing decisive has come yet. */
  read(chunk: Buffer, now: At): 'content' | Outcome | null {
    for (const event of this.#reader.push(chunk)) {
      const meaning = this.#dialect.classifyEvent(event, now)
      if (meaning !== 'lifecycle') return meaning
    }
    return null
  }
}

const mostTail = 65_536
const suspectWord = 'error'
const suspectBytes = Buffer.from(suspectWord)

/**
 * Finds error events in a stream that is passed on already. Nearly all chunks are ruled out by one native search for
 * the word; only the event around it is parsed. An unfinished event is kept (64 KiB of it at most) until its end comes.
 */
export class LateErrors {
  readonly #dialect: Dialect
  readonly #now: () => At
  #tail: Buffer | null = null

  constructor(dialect: Dialect, now: () => At) {
    this.#dialect = dialect
    this.#now = now
  }

  /** The outcome of an error event that this chunk completes; null nearly always. */
  read(chunk: Buffer): Outcome | null {
    const bytes = this.#tail === null ? chunk : Buffer.concat([this.#tail, chunk])
    const end = lastEventEnd(bytes)
    this.#tail = end === bytes.length || bytes.length - end > mostTail ? null : bytes.subarray(end)
    const suspect = bytes.indexOf(suspectBytes)
    return suspect === -1 || suspect >= end ? null : this.#parse(bytes.subarray(0, end))
  }

  #parse(complete: Buffer): Outcome | null {
    const now = this.#now()
    for (const event of new EventReader().push(complete)) {
      if (!event.data.includes(suspectWord) && !event.event?.includes(suspectWord)) continue
      const meaning = this.#dialect.classifyEvent(event, now)
      if (meaning !== 'lifecycle' && meaning !== 'content' && meaning.kind !== 'success') return meaning
    }
    return null
  }
}

/** Where the last complete event of `bytes` ends: after its empty line. */
function lastEventEnd(bytes: Buffer): number {
  const size = bytes.length
  if (bytes[size - 1] === lf && (bytes[size - 2] === lf || (bytes[size - 2] === cr && bytes[size - 3] === lf)))
    return size
  const plain = bytes.lastIndexOf('\n\n')
  const carriage = bytes.lastIndexOf('\n\r\n')
  return Math.max(plain === -1 ? 0 : plain + 2, carriage === -1 ? 0 : carriage + 3)
}
