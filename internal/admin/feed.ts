import type { ServerResponse } from 'node:http'
import { TurnedAway } from './problem.ts'

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
  readonly size: number
  add(end: () => void): void
  remove(end: () => void): void
  end(): void
}

/** No streams yet. */
export function closing(): Feeds {
  const ends = new Set<() => void>()
  return {
    get size() {
      return ends.size
    },
    add: (end) => ends.add(end),
    remove: (end) => ends.delete(end),
    end() {
      for (const end of ends) end()
    },
  }
}

const maxFeeds = 32
/** A reader that is this far behind is cut off: it can catch up from the audit log. */
const maxBehindBytes = 1024 * 1024
/** Comments keep proxies and clients from taking a quiet stream for a dead one. */
const heartbeatMs = 15_000

/** Answers with Server-Sent Events until the client leaves or the feeds end. */
export function feed(
  response: ServerResponse,
  source: EventSource,
  options: { feeds: Feeds; after(delayMs: number, run: () => void): () => void },
): void {
  const { feeds, after } = options
  if (feeds.size >= maxFeeds) throw new TurnedAway('too-many', `there are ${maxFeeds} event streams already`)
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  const write = (text: string) => {
    response.write(text)
    if (response.writableLength > maxBehindBytes) response.destroy()
  }
  const beat = (): (() => void) =>
    after(heartbeatMs, () => {
      write(':\n\n')
      cancel = beat()
    })
  let cancel = beat()
  write(':\n\n')
  const unsubscribe = source(({ kind, seq, data }) => {
    write(`event: ${kind}\n${seq === null ? '' : `id: ${seq}\n`}data: ${JSON.stringify(data)}\n\n`)
  })
  const end = () => response.end()
  feeds.add(end)
  response.on('close', () => {
    cancel()
    unsubscribe()
    feeds.remove(end)
  })
}
