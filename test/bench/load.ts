/**
 * The load generator: raw keep-alive connections that send one prepared request after another and check each answer.
 * Runs as a process of its own, takes orders as JSON on the IPC channel and answers with counts and latencies.
 */
import { connect, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'

export interface Order {
  readonly port: number
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly bodyBytes: number
  readonly connections: number
  readonly durationMs: number
  /** What every answer must be: its status, and its number of body bytes (null: whatever it says itself). */
  readonly status: number
  readonly answerBytes: number | null
}

export interface Result {
  readonly requests: number
  readonly wrong: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
}

const headEnd = Buffer.from('\r\n\r\n')
const lastChunk = Buffer.from('0\r\n\r\n')

/** One connection that asks again as soon as it has its answer. */
class Asker {
  readonly #order: Order
  readonly #request: Buffer
  readonly #latencies: number[]
  readonly #socket: Socket
  #pending: Buffer = Buffer.alloc(0)
  #sentAt = 0
  #stopped = false
  wrong = 0
  readonly over: Promise<void>

  constructor(order: Order, request: Buffer, latencies: number[]) {
    this.#order = order
    this.#request = request
    this.#latencies = latencies
    this.#socket = connect({ port: order.port, host: '127.0.0.1', noDelay: true })
    this.over = new Promise((resolve) => this.#socket.on('close', () => resolve()))
    this.#socket.on('connect', () => this.#ask())
    this.#socket.on('data', (bytes) => this.#take(bytes))
    this.#socket.on('error', () => {
      if (!this.#stopped) this.wrong++
    })
  }

  stop(): void {
    this.#stopped = true
    this.#socket.destroy()
  }

  #ask(): void {
    this.#sentAt = performance.now()
    this.#socket.write(this.#request)
  }

  #take(bytes: Buffer): void {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes])
    const end = this.#pending.indexOf(headEnd)
    if (end < 0) return
    const head = this.#pending.toString('latin1', 0, end).toLowerCase()
    const body = this.#pending.length - end - 4
    const length = /\r\ncontent-length: *(\d+)/.exec(head)
    if (length ? body < Number(length[1]) : !this.#pending.subarray(-5).equals(lastChunk)) return
    const { status, answerBytes } = this.#order
    const rightSize = answerBytes === null || (length ? Number(length[1]) === answerBytes : body >= answerBytes)
    if (!head.startsWith(`http/1.1 ${status}`) || !rightSize) this.wrong++
    this.#latencies.push(performance.now() - this.#sentAt)
    this.#pending = Buffer.alloc(0)
    if (!this.#stopped) this.#ask()
  }
}

function requestOf(order: Order): Buffer {
  const fixed = { host: `127.0.0.1:${order.port}`, connection: 'keep-alive', ...order.headers }
  const length = order.bodyBytes > 0 ? { 'content-length': String(order.bodyBytes) } : {}
  const lines = Object.entries({ ...fixed, ...length }).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `${order.method} ${order.path} HTTP/1.1\r\n${lines.join('')}\r\n`
  return Buffer.concat([Buffer.from(head), bodyOf(order.bodyBytes)])
}

function bodyOf(bytes: number): Buffer {
  if (bytes === 0) return Buffer.alloc(0)
  const frame = JSON.stringify({ model: 'gpt-5', messages: [{ role: 'user', content: '' }] })
  return Buffer.from(frame.replace('""', `"${'x'.repeat(bytes - frame.length)}"`))
}

async function run(order: Order): Promise<Result> {
  const latencies: number[] = []
  const request = requestOf(order)
  const started = performance.now()
  const askers = Array.from({ length: order.connections }, () => new Asker(order, request, latencies))
  await new Promise((resolve) => setTimeout(resolve, order.durationMs))
  const seconds = (performance.now() - started) / 1_000
  for (const asker of askers) asker.stop()
  await Promise.all(askers.map((asker) => asker.over))
  latencies.sort((a, b) => a - b)
  const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? Number.NaN
  const wrong = askers.reduce((sum, asker) => sum + asker.wrong, 0)
  return { requests: latencies.length, wrong, seconds, p50Ms: at(0.5), p99Ms: at(0.99) }
}

process.on('message', (order: Order) => {
  void run(order).then((result) => process.send?.(result))
})
