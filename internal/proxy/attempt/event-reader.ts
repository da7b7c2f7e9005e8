import type { StreamEvent } from '../../dialect/dialect.ts'

const lf = 10
const cr = 13

/** How much of an unfinished event is looked at for its type, in bytes. */
const maxBeginning = 256

/**
 * Reads server-sent events (WHATWG HTML, 9.2) from bytes as they come: any line ending, lines and events across chunks,
 * data of several lines. Comments, ids and retry times say nothing about an answer and are skipped.
 */
export class EventReader {
  #line: Buffer[] = []
  #event: string | null = null
  #data: string[] = []
  /** How long the complete lines of the unfinished event are, and what has come of its next line. */
  #linesLength = 0
  #lineLength = 0
  #afterCr = false
  #first: boolean

  /** `isInside`: the bytes begin behind the beginning of a stream, where a byte order mark is data. */
  constructor(isInside = false) {
    this.#first = !isInside
  }

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
    if (from < chunk.length) {
      this.#line.push(chunk.subarray(from))
      this.#lineLength += chunk.length - from
    }
    return events
  }

  /** How many bytes of an event have come that is not complete. */
  get unfinished(): number {
    return this.#linesLength + this.#lineLength
  }

  /** The event that is not complete, by its name or the type at the beginning of its data; null where neither has come. */
  get unfinishedName(): string | null {
    if (this.#event !== null) return this.#event
    const beginning = this.#data[0] ?? Buffer.concat(this.#line, Math.min(this.#lineLength, maxBeginning)).toString()
    return /"type"\s*:\s*"([^"]+)"/.exec(beginning.slice(0, maxBeginning))?.[1] ?? null
  }

  #wholeLine(end: Buffer): string {
    const line = this.#line.length === 0 ? end.toString() : Buffer.concat([...this.#line, end]).toString()
    this.#line = []
    this.#lineLength = 0
    const withoutMark = this.#first && line.startsWith('\ufeff') ? line.slice(1) : line
    this.#first = false
    return withoutMark
  }

  #take(line: string, events: StreamEvent[]): void {
    if (line === '') {
      if (this.#data.length > 0) events.push({ event: this.#event, data: this.#data.join('\n') })
      this.#event = null
      this.#data = []
      this.#linesLength = 0
      return
    }
    this.#linesLength += line.length
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
