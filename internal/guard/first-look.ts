import { type Clock, within } from '../clock/clock.ts'
import type { Budgets } from './budget/budgets.ts'
import type { HotPaths } from './hotpath/hotpaths.ts'
import type { Workers } from './worker/workers.ts'

/** A status answers from what is known; what is not known yet gets this long. */
const statusMs = 100
/** How long a command that has no daemon waits for the figures. */
const offlineMs = 20_000

interface FirstLookDeps {
  readonly budgets: Budgets
  readonly hotPaths: HotPaths
  readonly workers: Workers
}

/** The first look at what a status shows: a daemon waits for it shortly, a command without one until all is known. */
export class FirstLook {
  readonly #clock: Clock
  readonly #parts: FirstLookDeps
  /** What a status has waited for. */
  readonly #awaited = new Set<string>()

  constructor(clock: Clock, parts: FirstLookDeps) {
    this.#clock = clock
    this.#parts = parts
  }

  /** Resolves when there is something to show, or soon. Without a daemon (`isLive` false) everything is looked at now. */
  async taken(isLive: boolean): Promise<void> {
    const { budgets, hotPaths, workers } = this.#parts
    const paths = hotPaths.names.filter((name) =>
      this.#isWanted(isLive, `path:${name}`, hotPaths.shape(name).state !== null),
    )
    const programs = workers.names.filter((name) =>
      this.#isWanted(isLive, `worker:${name}`, workers.shape(name).at !== null),
    )
    const sizes = budgets.names.map((name) => (isLive ? budgets.glance(name) : budgets.whole(name, offlineMs)))
    const looks = Promise.all([...sizes, ...paths.map((name) => hotPaths.look(name))])
    const all = looks.then(() => Promise.all(programs.map((name) => workers.look(name))))
    const settled = all.then(() => {}).catch(() => {})
    await within(this.#clock, isLive ? statusMs : offlineMs, settled, undefined)
  }

  /** A daemon is asked to wait for the first look at a thing only once: one that hangs would make every status late. */
  #isWanted(isLive: boolean, id: string, isKnown: boolean): boolean {
    if (!isLive) return true
    if (isKnown || this.#awaited.has(id)) return false
    this.#awaited.add(id)
    return true
  }
}
