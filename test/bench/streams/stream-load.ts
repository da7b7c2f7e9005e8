/**
 * The readers of thousands of open streams. Runs as a process of its own and takes orders on the IPC channel; checks
 * that each stream's events are whole, in order and without a gap in their numbers.
 */
import { connect, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { AnswerReader } from '../answer.ts'
import { median } from '../finding.ts'
import { numberedEvent } from '../payload.ts'

export type StreamOrder =
  | { readonly kind: 'open'; readonly count: number; readonly port: number; readonly request: string }
  | { readonly kind: 'watch'; readonly ms: number }
  | { readonly kind: 'stall'; readonly port: number; readonly request: string }
  | { readonly kind: 'endings' }

/** How the streams got on over an interval: events per stream, and the longest time between two events of one. */
export interface Progress {
  readonly events: number
  readonly seconds: number
  readonly min: number
  readonly median: number
  readonly max: number
  readonly longestGapMs: number
  /** Of all streams, of each its longest: the middle one. */
  readonly medianGapMs: number
}

/** How the streams ended so far. */
export interface Endings {
  readonly open: number
  readonly clean: number
  readonly cut: number
}

/** One open stream. */
class Reader {
  readonly #reader = new AnswerReader(this)
  readonly begun: Promise<void>
  #tellBegun: () => void = () => {}
  #text = ''
  #next = -1
  ending: 'clean' | 'cut' | null = null
  wrong: string | null = null
  events = 0
  lastAt = 0
  gapMs = 0

  constructor(port: number, request: string) {
    this.begun = new Promise((resolve) => {
      this.#tellBegun = resolve
    })
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(request))
    socket.on('data', (bytes) => this.#take(bytes))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.ending ??= 'cut'
      this.#tellBegun()
    })
  }

  head(status: number): void {
    if (status !== 200) this.wrong = `answered with ${status}`
  }

  body(bytes: Buffer): void {
    this.#text += bytes.toString('latin1')
    for (let end = this.#text.indexOf('\n\n'); end !== -1; end = this.#text.indexOf('\n\n')) {
      this.#event(this.#text.slice(0, end + 2))
      this.#text = this.#text.slice(end + 2)
    }
  }

  end(): void {
    this.ending = 'clean'
  }

  /** Starts to count anew. */
  reset(now: number): void {
    this.events = 0
    this.gapMs = 0
    this.lastAt = now
  }

  #take(bytes: Buffer): void {
    try {
      this.#reader.push(bytes)
    } catch (error) {
      this.wrong = String(error)
    }
  }

  #event(text: string): void {
    if (this.#next === -1) {
      this.#next = Number(/"n":(-?\d+)/.exec(text)?.[1])
      this.#tellBegun()
    }
    if (text !== numberedEvent(this.#next)) this.wrong ??= `expected event ${this.#next}, read ${text}`
    this.#next++
    this.events++
    const now = performance.now()
    this.gapMs = Math.max(this.gapMs, now - this.lastAt)
    this.lastAt = now
  }
}

const readers: Reader[] = []
const stalled: Socket[] = []

/** Opens streams a hundred at a time and resolves when each has its first event. */
async function open(count: number, port: number, request: string): Promise<{ open: number; seconds: number }> {
  const started = performance.now()
  for (let left = count; left > 0; left -= 100) {
    const some = Array.from({ length: Math.min(100, left) }, () => new Reader(port, request))
    readers.push(...some)
    await Promise.all(some.map(({ begun }) => begun))
  }
  complain()
  return { open: readers.length, seconds: (performance.now() - started) / 1_000 }
}

async function watch(ms: number): Promise<Progress> {
  const started = performance.now()
  for (const reader of readers) reader.reset(started)
  await wait(ms)
  const now = performance.now()
  complain()
  const events = readers.map((reader) => reader.events).sort((a, b) => a - b)
  const gaps = readers.map(({ gapMs, lastAt }) => Math.max(gapMs, now - lastAt))
  return {
    events: events.reduce((sum, each) => sum + each, 0),
    seconds: (now - started) / 1_000,
    min: events[0] ?? 0,
    median: median(events),
    max: events.at(-1) ?? 0,
    longestGapMs: gaps.reduce((longest, gap) => Math.max(longest, gap), 0),
    medianGapMs: median(gaps),
  }
}

/** A reader that asks for a stream and does not read a byte of it. */
function stall(port: number, request: string): Promise<{ port: number }> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => {
      socket.write(request)
      resolve({ port: socket.localPort ?? 0 })
    })
    socket.pause().on('error', reject)
    stalled.push(socket)
  })
}

function endings(): Endings {
  const count = (ending: string | null) => readers.filter((reader) => reader.ending === ending).length
  return { open: count(null), clean: count('clean'), cut: count('cut') }
}

/** A stream that ended or said something wrong makes every figure about it void. */
function complain(): void {
  const wrong = readers.find((reader) => reader.wrong !== null || reader.ending !== null)
  if (wrong) throw new Error(`a stream of ${readers.length}: ${wrong.wrong ?? wrong.ending}`)
}

function obey(order: StreamOrder): Promise<unknown> | Endings {
  if (order.kind === 'open') return open(order.count, order.port, order.request)
  if (order.kind === 'watch') return watch(order.ms)
  return order.kind === 'stall' ? stall(order.port, order.request) : endings()
}

process.on('message', async (order: StreamOrder) => process.send?.(await obey(order)))
