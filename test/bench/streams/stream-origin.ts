/**
 * An upstream of thousands of open streams, each with an event a second, and of streams that flood whoever reads them.
 * Raw sockets and one timer for all, so that it can share a core with their readers.
 */
import { createServer, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { numberedEvent } from '../payload.ts'

export type OriginOrder = { readonly kind: 'report' } | { readonly kind: 'end half' }

export interface OriginReport {
  readonly streams: number
  /** The longest time, in ms, by which events left late since the last report. */
  readonly latestMs: number
  readonly flood: Flood | null
}

/** The stream that floods: what the kernel has taken of it, and the port of the other side. */
export interface Flood {
  readonly port: number
  readonly takenBytes: number
}

const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n'
const slotMs = 10
const perSecond = 1_000 / slotMs

/** Each slot's streams get their events in the same turn; the slots take turns within a second. */
const slots: Set<Socket>[] = Array.from({ length: perSecond }, () => new Set())
const started = performance.now()
let turn = 0
let opened = 0
let latestMs = 0
let flooded: Socket | null = null

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`
}

/** Which event of its stream a slot sends next. */
function nextOf(slot: number): number {
  return Math.ceil((turn - slot) / perSecond)
}

function open(socket: Socket): void {
  const at = opened++ % slots.length
  slots[at]?.add(socket)
  socket.on('close', () => slots[at]?.delete(socket))
  socket.write(head + chunk(numberedEvent(nextOf(at) - 1)))
}

/** Writes for as long as something takes it, up to a bound that no proxy should come near. */
function flood(socket: Socket): void {
  flooded = socket
  const event = chunk(`data: {"choices":[{"index":0,"delta":{"content":"${'x'.repeat(16_000)}"}}]}\n\n`)
  const more = () => {
    while (socket.bytesWritten < 256 * 1_048_576 && socket.write(event));
  }
  socket.on('drain', more)
  socket.write(head)
  more()
}

setInterval(() => {
  const due = Math.floor((performance.now() - started) / slotMs)
  latestMs = Math.max(latestMs, performance.now() - started - turn * slotMs)
  for (; turn < due; turn++) {
    const slot = turn % slots.length
    const event = Buffer.from(chunk(numberedEvent(nextOf(slot))))
    for (const socket of slots[slot] ?? []) socket.write(event)
  }
}, slotMs)

const server = createServer({ noDelay: true }, (socket) => {
  let text = ''
  const listen = (bytes: Buffer) => {
    text += bytes.toString('latin1')
    const end = text.indexOf('\r\n\r\n')
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(text)?.[1] ?? 0)
    if (end === -1 || text.length < end + 4 + length) return
    socket.off('data', listen).resume()
    if (text.split(' ', 2)[1]?.includes('flood')) flood(socket)
    else open(socket)
  }
  socket.on('data', listen).on('error', () => socket.destroy())
})
server.listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: 4_096 })

function endHalf(): void {
  for (const slot of slots) {
    const half = [...slot].filter((_, at) => at % 2 === 0)
    for (const socket of half) socket.end('0\r\n\r\n')
  }
}

function report(): OriginReport {
  const streams = slots.reduce((sum, { size }) => sum + size, 0)
  const late = latestMs
  latestMs = 0
  const flood = flooded && {
    port: flooded.remotePort ?? 0,
    takenBytes: flooded.bytesWritten - flooded.writableLength,
  }
  return { streams, latestMs: late, flood }
}

process.on('message', ({ kind }: OriginOrder) => {
  if (kind === 'end half') endHalf()
  process.send?.(report())
})
