import type { Clock } from '../../clock/clock.ts'
import type { PathState } from '../decide/path.ts'
import type { SystemCalls } from '../system-calls.ts'

/** A path that does not answer within this is looked at again with all its time, where it holds up nobody. */
const quickMs = 1_000
/** One process is always left for paths that answer. */
const mostSlow = 2

/** What a probe found, and how long it took. */
export interface Probed {
  readonly path: string
  readonly state: PathState
  readonly ms: number
}

/**
 * Probes paths so that hanging ones hold up no others: what did not answer the last time, or does not answer at once, waits
 * for one of two runners; each path is probed once at a time.
 */
export class Prober {
  readonly #system: Pick<SystemCalls, 'probe'>
  readonly #clock: Clock
  readonly #hanging = new Set<string>()
  readonly #underWay = new Map<string, Promise<Probed>>()
  readonly #waiting: (() => void)[] = []
  #slow = 0

  constructor(system: Pick<SystemCalls, 'probe'>, clock: Clock) {
    this.#system = system
    this.#clock = clock
  }

  /** Never rejects. */
  probe(path: string, probeMs: number): Promise<Probed> {
    const under = this.#underWay.get(path)
    if (under) return under
    const begun = this.#clock.mono()
    const probing = this.#probe(path, probeMs).then((state) => {
      this.#underWay.delete(path)
      if (state === 'hanging') this.#hanging.add(path)
      else this.#hanging.delete(path)
      return { path, state, ms: Math.round(this.#clock.mono() - begun) }
    })
    this.#underWay.set(path, probing)
    return probing
  }

  async #probe(path: string, probeMs: number): Promise<PathState> {
    const isKnown = this.#hanging.has(path)
    if (!isKnown) {
      const state = await this.#system.probe(path, Math.min(quickMs, probeMs))
      if (state !== 'hanging' || probeMs <= quickMs) return state
    }
    await this.#turn()
    try {
      return await this.#system.probe(path, probeMs)
    } finally {
      this.#slow--
      this.#waiting.shift()?.()
    }
  }

  async #turn(): Promise<void> {
    while (this.#slow >= mostSlow) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#slow++
  }
}
