import type { Clock } from '../../clock/clock.ts'
import type { Child } from './child.ts'
import type { Ended } from './policy.ts'

export type StopSignal = 'SIGTERM' | 'SIGINT' | 'SIGHUP'

/** Calls the listener for each stop signal that reaches this process, instead of ending it; returns the end of that. */
export function onStopSignals(listener: (signal: StopSignal) => void): () => void {
  const signals: readonly StopSignal[] = ['SIGTERM', 'SIGINT', 'SIGHUP']
  for (const signal of signals) process.on(signal, listener)
  return () => {
    for (const signal of signals) process.off(signal, listener)
  }
}

/** What a run was told: it passes stop signals on to the child, and after the first one nothing is started any more. */
export class Stop {
  #signal: StopSignal | null = null
  #child: Child | null = null
  #wake: (() => void) | null = null
  readonly #end: () => void

  /** With a terminal, Ctrl-C has reached the child by itself (it is in the foreground group), and a second SIGINT would mean more than the first. */
  constructor(subscribe: typeof onStopSignals, terminal: boolean) {
    this.#end = subscribe((signal) => {
      this.#signal ??= signal
      if (!(terminal && signal === 'SIGINT')) this.#child?.kill(signal)
      this.#wake?.()
    })
  }

  /** The first signal; null: the run may go on. */
  get signal(): StopSignal | null {
    return this.#signal
  }

  /** How a run ends that was told to stop while nothing ran. */
  get ended(): Ended {
    return { how: 'signal', signal: this.#signal ?? 'SIGTERM' }
  }

  /** Resolves when the child has ended, which hears of stop signals meanwhile. */
  async during(child: Child): Promise<Awaited<Child['ended']>> {
    this.#child = child
    try {
      return await child.ended
    } finally {
      this.#child = null
    }
  }

  /** Resolves after `ms` of the clock's time, or with the first stop signal. */
  async wait(ms: number, clock: Clock): Promise<void> {
    if (this.#signal) return
    await new Promise<void>((resolve) => {
      const cancel = clock.after(ms, resolve)
      this.#wake = () => {
        cancel()
        resolve()
      }
    })
    this.#wake = null
  }

  /** Stop signals have their usual effect again. */
  end(): void {
    this.#end()
  }
}
