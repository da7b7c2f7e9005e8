import type { ServerResponse } from 'node:http'
import { provide } from './providers.ts'
import type { Recorded } from './recorded.ts'

/** A request that waits for its answer. */
export interface Call {
  readonly request: Recorded
  readonly response: ServerResponse
}

/** How the fake upstream answers one request; `early` ones do not wait for the request's body. */
export interface Behaviour {
  readonly early?: boolean
  play(call: Call): void | Promise<void>
}

export type Headers = Readonly<Record<string, string | readonly string[]>>

/** A point in a script where the fake waits until the test says `open()`. */
export class Gate {
  /** Resolves when a request has come to this point. */
  readonly reached: Promise<void>
  readonly opened: Promise<void>
  #reach: () => void = () => {}
  #open: () => void = () => {}

  constructor() {
    this.reached = new Promise((resolve) => {
      this.#reach = resolve
    })
    this.opened = new Promise((resolve) => {
      this.#open = resolve
    })
  }

  open(): void {
    this.#open()
  }

  pass(): Promise<void> {
    this.#reach()
    return this.opened
  }
}

/** The provider's own answer to a well-formed request. */
export const happy: Behaviour = { play: provide }

/** A complete answer; an object becomes JSON. */
export function answer(status: number, headers: Headers = {}, body: unknown = ''): Behaviour {
  return {
    play({ response }) {
      const { bytes, type } = encode(body)
      response.writeHead(status, { 'content-type': type, 'content-length': bytes.length, ...plain(headers) })
      response.end(bytes)
    },
  }
}

/** The same answer, given before the request's body has been read. */
export function early(behaviour: Behaviour): Behaviour {
  return { early: true, play: behaviour.play }
}

/** Waits for the gate, then behaves. */
export function behind(gate: Gate, behaviour: Behaviour): Behaviour {
  return {
    ...behaviour,
    async play(call) {
      await gate.pass()
      if (!call.response.destroyed) await behaviour.play(call)
    },
  }
}

/** What a stream consists of: an event, bytes as they are, a gate, or the violent end. */
export type StreamPart = { event?: string; data: unknown } | string | Buffer | Gate | 'reset'

/** A `text/event-stream` answer, part by part; a string is sent as it is, `reset` breaks the connection. */
export function stream(parts: readonly StreamPart[], headers: Headers = {}): Behaviour {
  return {
    async play({ response }) {
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', ...plain(headers) })
      response.flushHeaders()
      for (const part of parts) {
        if (response.destroyed) return
        if (part instanceof Gate) await part.pass()
        else if (part === 'reset') return reset.play({ response } as Call)
        else response.write(typeof part === 'string' || Buffer.isBuffer(part) ? part : eventText(part))
      }
      response.end()
    },
  }
}

/** One server-sent event as text. */
export function eventText({ event, data }: { event?: string; data: unknown }): string {
  const text = typeof data === 'string' ? data : JSON.stringify(data)
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${text}\n\n`
}

/** Breaks the connection with a TCP reset and no answer. */
export const reset: Behaviour = {
  play({ response }) {
    const { socket } = response
    // What was written before must leave first, or a reset would overtake it.
    if (socket) setImmediate(() => socket.resetAndDestroy())
  },
}

/** Never answers. */
export const silence: Behaviour = { play() {} }

/** Sends the head and `body`, promises more, and then says nothing. */
export function stall(body: string, headers: Headers = {}): Behaviour {
  return {
    play({ response }) {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100000', ...plain(headers) })
      response.write(body)
    },
  }
}

/** Sends the head and `body`, promises more, and then resets. */
export function breakAfter(body: string, headers: Headers = {}): Behaviour {
  return {
    async play(call) {
      await stall(body, headers).play(call)
      reset.play(call)
    },
  }
}

/** Writes bytes past the HTTP layer, then ends the connection (`keep`: leaves it open). */
export function raw(bytes: string | Buffer, keep = false): Behaviour {
  return {
    play({ response }) {
      response.socket?.write(bytes, 'latin1')
      if (!keep) response.socket?.end()
    },
  }
}

function encode(body: unknown): { bytes: Buffer; type: string } {
  if (Buffer.isBuffer(body)) return { bytes: body, type: 'application/octet-stream' }
  if (typeof body === 'string') return { bytes: Buffer.from(body), type: 'text/plain' }
  return { bytes: Buffer.from(JSON.stringify(body)), type: 'application/json' }
}

function plain(headers: Headers): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name.toLowerCase(),
      typeof value === 'string' ? value : [...value],
    ]),
  )
}

/** Google's refusal of a model whose requests of the day are used up; it names a reset in 10 min. */
export const geminiModelLimit = answer(
  429,
  {},
  {
    error: {
      code: 429,
      status: 'RESOURCE_EXHAUSTED',
      message: 'You exceeded your current quota',
      details: [
        {
          '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
          violations: [{ quotaId: 'GenerateRequestsPerDayPerProjectPerModel-FreeTier', quotaValue: '50' }],
        },
        { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '600s' },
      ],
    },
  },
)
