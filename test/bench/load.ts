/**
 * The load generator: raw keep-alive connections that send one prepared request after another and check each answer.
 * Runs as a process of its own, takes orders on the IPC channel and answers with counts, CPU time and latencies.
 */
import { connect, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { AnswerReader } from './answer.ts'
import { done, event } from './payload.ts'
import { cpuSeconds } from './process.ts'

export interface Order {
  readonly port: number
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly bodyBytes: number
  readonly connections: number
  /** Under load before the measured interval, so that opening connections is no part of it. */
  readonly settleMs: number
  readonly durationMs: number
  /** What every answer must be: its status, and its number of body bytes (null: whatever it says itself). */
  readonly status: number
  readonly answerBytes: number | null
  /** Whether events are counted as they come, or answers when they are complete. */
  readonly unit: 'request' | 'event'
  /** Requests per second over all connections; null: each asks again at once. */
  readonly rate: number | null
  /** Whose CPU time is taken over the interval. */
  readonly pids: readonly number[]
}

export interface Result {
  /** Requests or events in the measured interval, and the CPU time it took. */
  readonly units: number
  readonly cpuSeconds: number
  readonly seconds: number
  /** Answers that were not what they must be, at any time. */
  readonly wrong: number
  /** Of the answers that were completed in the interval; NaN when there was none. */
  readonly p99Ms: number
}

/** What all connections count together. */
interface Counters {
  bodyBytes: number
  answers: number
  wrong: number
  latencies: number[]
}

/** One connection that asks again as soon as it has its answer. */
class Asker {
  readonly #order: Order
  readonly #request: Buffer
  readonly #counters: Counters
  readonly #socket: Socket
  readonly #reader = new AnswerReader(this)
  #status = 0
  #body = 0
  #sentAt = 0
  /** When the next request is due, in a load with a rate. */
  #dueAt = performance.now()
  #stopped = false
  readonly over: Promise<void>

  constructor(order: Order, request: Buffer, counters: Counters) {
    this.#order = order
    this.#request = request
    this.#counters = counters
    this.#socket = connect({ port: order.port, host: '127.0.0.1', noDelay: true })
    this.over = new Promise((resolve) => this.#socket.on('close', () => resolve()))
    this.#socket.on('connect', () => this.#askInTime())
    this.#socket.on('data', (bytes) => this.#take(bytes))
    this.#socket.on('error', () => this.#fail())
    this.#socket.on('end', () => this.#fail())
  }

  /** Asks no more; the answer under way is read and checked to its end. */
  stop(): void {
    this.#stopped = true
  }

  /** Breaks off an answer that does not end, or is none. */
  cut(): void {
    if (this.#socket.destroyed) return
    this.#counters.wrong++
    this.#stopped = true
    this.#socket.destroy()
  }

  head(status: number): void {
    this.#status = status
    this.#body = 0
  }

  body(bytes: Buffer): void {
    this.#body += bytes.length
    this.#counters.bodyBytes += bytes.length
  }

  end(): void {
    const { status, answerBytes } = this.#order
    if (this.#status !== status || (answerBytes !== null && this.#body !== answerBytes)) this.#counters.wrong++
    this.#counters.answers++
    this.#counters.latencies.push(performance.now() - this.#sentAt)
    if (this.#stopped) this.#socket.destroy()
    else this.#askInTime()
  }

  #askInTime(): void {
    const { rate, connections } = this.#order
    if (rate === null) {
      this.#ask()
      return
    }
    this.#dueAt = Math.max(this.#dueAt + (1_000 * connections * (0.5 + Math.random())) / rate, performance.now())
    setTimeout(() => (this.#stopped ? this.#socket.destroy() : this.#ask()), this.#dueAt - performance.now())
  }

  #ask(): void {
    this.#sentAt = performance.now()
    this.#socket.write(this.#request)
  }

  #take(bytes: Buffer): void {
    try {
      this.#reader.push(bytes)
    } catch {
      this.cut()
    }
  }

  /** A connection that breaks off belies its answer: none of the proxies may close one while it is asked. */
  #fail(): void {
    this.#counters.wrong++
  }
}

function requestOf(order: Order): Buffer {
  const fixed = { host: `127.0.0.1:${order.port}`, connection: 'keep-alive', ...order.headers }
  const fields = Object.entries({ ...fixed, 'content-length': String(order.bodyBytes) })
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.concat([Buffer.from(`POST ${order.path} HTTP/1.1\r\n${lines.join('')}\r\n`), bodyOf(order.bodyBytes)])
}

function bodyOf(bytes: number): Buffer {
  const frame = JSON.stringify({ model: 'gpt-5', messages: [{ role: 'user', content: '' }] })
  return Buffer.from(frame.replace('""', `"${'x'.repeat(bytes - frame.length)}"`))
}

async function run(order: Order): Promise<Result> {
  const counters: Counters = { bodyBytes: 0, answers: 0, wrong: 0, latencies: [] }
  const request = requestOf(order)
  const askers = Array.from({ length: order.connections }, () => new Asker(order, request, counters))
  await wait(order.settleMs)
  const before = { ...counters, cpu: cpuSeconds(order.pids), at: performance.now() }
  counters.latencies = []
  await wait(order.durationMs)
  const cpu = cpuSeconds(order.pids) - before.cpu
  const seconds = (performance.now() - before.at) / 1_000
  const answers = counters.answers - before.answers
  // A stream that is under way at either end of the interval counts with the events that came within it.
  const events = (counters.bodyBytes - before.bodyBytes - answers * done.length) / event.length
  const latencies = counters.latencies.toSorted((a, b) => a - b)
  await ending(askers)
  return {
    units: order.unit === 'event' ? events : answers,
    cpuSeconds: cpu,
    seconds,
    wrong: counters.wrong,
    p99Ms: latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN,
  }
}

/**
 * Answers under way are waited for: not every proxy ends its upstream's answer when a client leaves, and what is left
 * over would take the next round's connections.
 */
async function ending(askers: readonly Asker[]): Promise<void> {
  for (const asker of askers) asker.stop()
  const deadline = setTimeout(() => {
    for (const asker of askers) asker.cut()
  }, 10_000)
  await Promise.all(askers.map((asker) => asker.over))
  clearTimeout(deadline)
}

process.on('message', (order: Order) => {
  void run(order).then((result) => process.send?.(result))
})
