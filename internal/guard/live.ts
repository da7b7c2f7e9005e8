import {
  type Actor,
  type AdmitShape,
  type EnforcedShape,
  type EvidenceShape,
  type FrameShape,
  type Guard,
  type GuardShape,
  missing,
  type ProbeShape,
  type RecoveryShape,
  Refusal,
  type SwitchShape,
} from '../ops/ops.ts'
import { admitted } from './admit.ts'
import { Budgets, everyMs as budgetsMs } from './budget/budgets.ts'
import type { GuardDeps } from './context.ts'
import { gatherEvidence } from './evidence/evidence.ts'
import { FirstLook } from './first-look.ts'
import { HotPaths } from './hotpath/hotpaths.ts'
import { Memory } from './memory.ts'
import { type Duty, Schedule } from './schedule.ts'
import { sentinelOf } from './sentinel.ts'
import { Trials } from './trials.ts'
import { Workers } from './worker/workers.ts'

const evidenceMs = 25_000

/** What the guard measures. */
export interface GuardGauges {
  budgets(): readonly { readonly name: string; readonly bytes: number }[]
  paths(): readonly { readonly name: string; readonly state: string }[]
  workers(): readonly { readonly name: string; readonly shouldRun: boolean }[]
  decisions(): readonly { readonly worker: string; readonly reason: string; readonly count: number }[]
}

/** A guard that also acts by itself. */
export interface LiveGuard extends Guard, GuardGauges {
  /** From now on budgets are enforced, paths looked at and workers started. */
  start(): void
  /** Does nothing by itself until the next `start`, which begins with what is remembered then. */
  rest(): void
  /** The configuration changed. */
  configure(): void
  /** What is known now about an incident that was told; null: nothing else. */
  factsOf(kind: string, name: string): Record<string, unknown> | null
  stop(): void
}

/** The guard of an installation; it does nothing by itself before `start`. */
export function createGuard(parts: GuardDeps): LiveGuard {
  return new Watch(parts)
}

class Watch implements LiveGuard {
  readonly #parts: GuardDeps
  readonly #memory: Memory
  readonly #budgets: Budgets
  readonly #hotPaths: HotPaths
  readonly #workers: Workers
  readonly #trials = new Trials()
  readonly #schedule: Schedule
  readonly #firstLook: FirstLook

  constructor(parts: GuardDeps) {
    this.#parts = parts
    this.#memory = new Memory(parts)
    this.#budgets = new Budgets(parts, this.#memory)
    const failed = (what: string, error: unknown) => parts.log.warn({ error, what }, 'the guard could not look')
    this.#schedule = new Schedule(parts.clock, () => this.#duties(), failed)
    this.#hotPaths = new HotPaths(parts, this.#memory, {
      using: (name) => this.#workers.using(name),
      isFree: (name) => this.#workers.isFree(name),
    })
    this.#workers = new Workers(parts, this.#memory, (name) => this.#hotPaths.state(name))
    this.#firstLook = new FirstLook(parts.clock, {
      budgets: this.#budgets,
      hotPaths: this.#hotPaths,
      workers: this.#workers,
    })
  }

  start(): void {
    this.#schedule.start()
  }

  rest(): void {
    this.#schedule.stop()
    this.#memory.forget()
  }

  configure(): void {
    this.#schedule.turn()
  }

  stop(): void {
    this.#schedule.stop()
    this.#parts.system.stop()
  }

  async status(): Promise<GuardShape> {
    await this.#memory.ready()
    await this.#firstLook.taken(this.#schedule.running)
    const { budgets } = this.#parts.settings()
    return {
      budgets: Object.entries(budgets).map(([name, budget]) => this.#budgets.shape(name, budget)),
      hotPaths: this.#hotPaths.names.map((name) => this.#hotPaths.shape(name)),
      workers: this.#workers.names.map((name) => this.#workers.shape(name)),
    }
  }

  async probe(name: string): Promise<ProbeShape> {
    this.#knownHotPath(name)
    return this.#hotPaths.look(name)
  }

  async enforce(name: string | null, how: { dryRun: boolean; actor: Actor }): Promise<EnforcedShape[]> {
    if (name !== null && !this.#budgets.get(name)) throw missing('budget', name, this.#budgets.names)
    await this.#memory.ready()
    const done: EnforcedShape[] = []
    for (const each of name === null ? this.#budgets.names : [name]) done.push(await this.#budgets.enforce(each, how))
    return done
  }

  async recover(name: string, how: { dryRun: boolean; actor: Actor }): Promise<RecoveryShape> {
    this.#knownHotPath(name)
    await this.#memory.ready()
    return this.#hotPaths.recover(name, how)
  }

  async turn(name: string, on: boolean, actor: Actor): Promise<SwitchShape> {
    const { system, data } = this.#parts
    const worker = this.#workers.get(name)
    const hot = this.#hotPaths.get(name)
    if (!worker && !hot) throw missing('worker or hot path', name, [...this.#workers.names, ...this.#hotPaths.names])
    await this.#memory.ready()
    const path = sentinelOf(name, worker ? worker.enabledBy : (hot?.recover.enabledBy ?? null), data)
    const what = worker ? 'worker' : 'hot path'
    let changed = false
    try {
      changed = await (on ? system.createFile(path) : system.removeFile(path))
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error)
      throw new Refusal('failed', `${path} cannot be ${on ? 'made' : 'removed'} (${said})`)
    }
    if (changed)
      this.#memory.tell({ kind: on ? 'guard_enabled' : 'guard_disabled', from: name, actor, detail: { what } })
    this.#schedule.hurry(`${worker ? 'worker' : 'path'}:${name}`)
    return { name, what, enabled: on, changed, path }
  }

  async frame(): Promise<FrameShape> {
    const { budgets, workers } = this.#parts.settings()
    const pools = new Set([...Object.values(budgets), ...Object.values(workers)].flatMap(({ pool }) => pool ?? []))
    const facts = await Promise.all([...pools].map((pool) => this.#parts.pool(pool)))
    return {
      paths: Object.values(budgets).map(({ path, match, pool }) => ({ path, match, pool })),
      breakers: facts.flatMap((each) => (each ? [each.breaker] : [])),
      reserveBytes: this.#parts.reserveBytes(),
    }
  }

  async evidence(paths: readonly string[], sinceMs: number): Promise<EvidenceShape> {
    const frame = await this.frame()
    return gatherEvidence({ paths, sinceMs, frame, forMs: evidenceMs }, this.#parts)
  }

  async admit(asks: Parameters<Guard['admit']>[0]): Promise<AdmitShape> {
    await this.#memory.ready()
    for (const name of asks.budgets) if (!this.#budgets.get(name)) throw missing('budget', name, this.#budgets.names)
    for (const name of asks.hotPaths) this.#knownHotPath(name)
    return admitted(asks, {
      parts: this.#parts,
      budgets: this.#budgets,
      hotPaths: this.#hotPaths,
      trials: this.#trials,
    })
  }

  budgets() {
    const { budgets } = this.#parts.settings()
    return Object.entries(budgets).map(([name, budget]) => ({ name, bytes: this.#budgets.shape(name, budget).bytes }))
  }

  paths() {
    return this.#hotPaths.names.flatMap((name) => {
      const { state } = this.#hotPaths.shape(name)
      return state === null ? [] : [{ name, state }]
    })
  }

  workers() {
    return this.#workers.names.map((name) => ({ name, shouldRun: this.#workers.shouldRun(name) }))
  }

  decisions() {
    return [...this.#workers.decisions()].flatMap(([worker, counts]) =>
      [...counts].map(([reason, count]) => ({ worker, reason, count })),
    )
  }

  factsOf(kind: string, name: string): Record<string, unknown> | null {
    if (kind === 'budget_filling') return this.#budgets.filling(name)
    return kind === 'worker_down' ? this.#workers.down(name) : null
  }

  #knownHotPath(name: string): void {
    if (!this.#hotPaths.get(name)) throw missing('hot path', name, this.#hotPaths.names)
  }

  #duties(): ReadonlyMap<string, Duty> {
    const { budgets, hotPaths, workers } = this.#parts.settings()
    const duties = new Map<string, Duty>()
    if (Object.keys(budgets).length > 0)
      duties.set('budgets', { everyMs: budgetsMs, run: () => this.#remembering(() => this.#budgets.tick()) })
    for (const [name, { everyMs }] of Object.entries(hotPaths))
      duties.set(`path:${name}`, { everyMs, run: () => this.#remembering(() => this.#hotPaths.tick(name)) })
    for (const [name, { everyMs }] of Object.entries(workers))
      duties.set(`worker:${name}`, { everyMs, run: () => this.#remembering(() => this.#workerTick(name)) })
    return duties
  }

  /** A worker is judged by paths that have been looked at. */
  async #workerTick(name: string): Promise<void> {
    const unseen = (this.#workers.get(name)?.hotPaths ?? []).filter((path) => this.#hotPaths.shape(path).state === null)
    await Promise.all(unseen.map((path) => this.#hotPaths.look(path)))
    await this.#workers.tick(name)
  }

  /** Nothing is done before it is known what was done. */
  async #remembering(run: () => Promise<void>): Promise<void> {
    await this.#memory.ready()
    await run()
  }
}
