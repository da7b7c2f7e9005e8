import type { ServerResponse } from 'node:http'

/** One thing that happened, as a line of the event stream. */
export interface LiveEvent {
  readonly kind: string
  /** The audit row's number; null when it has none. */
  readonly seq: number | null
  /** What is sent, as JSON. */
  readonly data: Readonly<Record<string, unknown>>
}

/** Calls the listener for each event from now on; returns the end of the subscription. */
export type EventSource = (listener: (event: LiveEvent) => void) => () => void

/** Event streams that are open, so that a shutdown can end them. */
export interface Feeds {
  /** Whether there are as many as are kept. */
  readonly full: boolean
  add(end: () => void): void
  remove(end: () => void): void
  end(): void
}

/** No streams yet. */
export function closing(): Feeds {
  const ends = new Set<() => void>()
  return {
    get full() {
      return ends.size >= maxFeeds
    },
    add: (end) => ends.add(end),
    remove: (end) => ends.delete(end),
    end() {
      for (const end of ends) end()
    },
  }
}

/** The most event streams of one server. */
export const maxFeeds = 32
/** A reader that is this far behind is cut off: it can catch up from the audit log. */
const maxBehindBytes = 1024 * 1024
/** Comments keep proxies and clients from taking a quiet stream for a dead one. */
const heartbeatMs = 15_000

/** What a stream runs on. */
export interface Streaming {
  readonly feeds: Feeds
  after(delayMs: number, run: () => void): () => void
  /** Sends what was gathered at most once in so many ms, as one event `changed`; each event by itself when absent. */
  readonly everyMs?: number
  /** Asked now and then; false ends the stream. */
  lives?(): boolean
}

/** Answers with Server-Sent Events until the client leaves or the feeds end; the caller asks `feeds.full` before. */
export function feed(response: ServerResponse, source: EventSource, options: Streaming): void {
  const { feeds, after, everyMs, lives = () => true } = options
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  const write = (text: string) => {
    response.write(text)
    if (response.writableLength > maxBehindBytes) response.destroy()
  }
  const end = () => response.end()
  const beat = (): (() => void) =>
    after(heartbeatMs, () => {
      if (!lives()) return end()
      write(':\n\n')
      cancel = beat()
    })
  let cancel = beat()
  write(':\n\n')
  const { listener, stop } = everyMs === undefined ? each(write) : gathered(write, everyMs, after)
  const unsubscribe = source(listener)
  feeds.add(end)
  response.on('close', () => {
    cancel()
    stop()
    unsubscribe()
    feeds.remove(end)
  })
}

interface Writer {
  listener(event: LiveEvent): void
  stop(): void
}

/** Every event as it comes. */
function each(write: (text: string) => void): Writer {
  return {
    listener({ kind, seq, data }) {
      write(`event: ${kind}\n${seq === null ? '' : `id: ${seq}\n`}data: ${JSON.stringify(data)}\n\n`)
    },
    stop: () => undefined,
  }
}

/** Which pools are concerned and how many events there were; the first is told at once. */
function gathered(write: (text: string) => void, everyMs: number, after: Streaming['after']): Writer {
  const pools = new Set<string>()
  let events = 0
  let pause: (() => void) | null = null
  function flush(): void {
    pause = null
    if (events === 0) return
    write(`event: changed\ndata: ${JSON.stringify({ pools: [...pools], events })}\n\n`)
    pools.clear()
    events = 0
    pause = after(everyMs, flush)
  }
  return {
    listener({ data }) {
      events++
      if (typeof data.pool === 'string') pools.add(data.pool)
      if (pause === null) flush()
    },
    stop: () => pause?.(),
  }
}
