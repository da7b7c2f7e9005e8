import type { Cancel, Clock } from '../../clock/clock.ts'
import type { DataPath, Lease } from '../../engine/engine.ts'
import type { EventBus, EventKind } from '../../events/events.ts'
import { serviceRestart } from './tunnel.ts'

/** One open WebSocket with the member that serves it. */
export interface OpenSocket {
  readonly lease: Lease
  /** Whether nobody waits for an answer on it. */
  readonly isQuiet: boolean
  close(code: number, reason: string): void
}

/** Events after which a member may be unable to serve. */
const unsettlingEvents: ReadonlySet<EventKind> = new Set<EventKind>([
  'cred_cooled',
  'cred_disabled',
  'cred_needs_login',
  'cred_removed',
  'cred_failover',
  'pool_changed',
])

/** Repeated events are told only once, so the sockets are also looked at this often, in ms. */
const lookMs = 1_000

/** While draining, in ms between two looks; and how long before the end of the time all that is left is closed. */
const drainLookMs = 100
const lastCloseMs = 1_500

/** The open WebSockets. It closes those of a member that can no longer serve, so that their clients come again to another member. */
export class OpenSockets {
  readonly #engine: Pick<DataPath, 'mayStillServe'>
  readonly #clock: Clock
  readonly #sockets = new Set<OpenSocket>()
  readonly #unsubscribe: () => void
  #looking = false

  constructor(engine: Pick<DataPath, 'mayStillServe'>, clock: Clock, bus: Pick<EventBus, 'subscribe'>) {
    this.#engine = engine
    this.#clock = clock
    this.#unsubscribe = bus.subscribe(({ event }) => {
      if (unsettlingEvents.has(event.kind)) this.#look()
    })
  }

  enter(socket: OpenSocket): void {
    this.#sockets.add(socket)
    this.#lookAgain()
  }

  leave(socket: OpenSocket): void {
    this.#sockets.delete(socket)
  }

  /** Closes the sockets as they fall quiet, and the rest shortly before `withinMs` is over; returns the end of that. */
  drain(withinMs: number): Cancel {
    const endsAt = this.#clock.mono() + Math.max(0, withinMs - lastCloseMs)
    let stopped = false
    const look = () => {
      if (stopped) return
      const isLate = this.#clock.mono() >= endsAt
      for (const socket of [...this.#sockets]) {
        if (isLate || socket.isQuiet) socket.close(serviceRestart, 'the proxy restarts')
      }
      if (this.#sockets.size > 0 || !isLate) this.#clock.after(drainLookMs, look)
    }
    look()
    return () => {
      stopped = true
    }
  }

  /** Listens no more. */
  stop(): void {
    this.#unsubscribe()
  }

  #look(): void {
    for (const socket of [...this.#sockets]) {
      if (!this.#engine.mayStillServe(socket.lease)) socket.close(serviceRestart, 'come again: another member serves')
    }
  }

  #lookAgain(): void {
    if (this.#looking || this.#sockets.size === 0) return
    this.#looking = true
    this.#clock.after(lookMs, () => {
      this.#looking = false
      this.#look()
      this.#lookAgain()
    })
  }
}
