import type { WorkerReason } from '../../events/events.ts'
import type { GuardSettings, WorkerShape } from '../../ops/ops.ts'
import type { GuardDeps } from '../context.ts'
import type { PathState } from '../decide/path.ts'
import type { WorkerSeen } from '../decide/recovery.ts'
import { decideWorker, isDown, isLocked, type WorkerDecision, type WorkerFacts } from '../decide/worker.ts'
import type { Memory } from '../memory.ts'
import { isEnabled, sentinelOf } from '../sentinel.ts'

type Worker = GuardSettings['workers'][string]

interface Seen {
  readonly facts: WorkerFacts
  readonly decision: WorkerDecision
  readonly at: number
  /** Since when the reason has been the same. */
  readonly since: number
  /** How often in a row it was found down. */
  readonly downs: number
}

const checkMs = 10_000
const startMs = 60_000
/** A worker that is found down once may be on its way up. */
const fewestDowns = 2

/** The workers that are started again when they are down while jobs wait. */
export class Workers {
  readonly #parts: GuardDeps
  readonly #memory: Memory
  readonly #pathState: (hotPath: string) => { readonly state: PathState; readonly since: number } | null
  readonly #seen = new Map<string, Seen>()
  readonly #counts = new Map<string, Map<string, number>>()

  constructor(
    parts: GuardDeps,
    memory: Memory,
    pathState: (hotPath: string) => { readonly state: PathState; readonly since: number } | null,
  ) {
    this.#parts = parts
    this.#memory = memory
    this.#pathState = pathState
  }

  get names(): readonly string[] {
    return Object.keys(this.#parts.settings().workers)
  }

  get(name: string): Worker | null {
    return this.#parts.settings().workers[name] ?? null
  }

  /** Looks at it and starts it where it should run. */
  async tick(name: string): Promise<void> {
    const worker = this.get(name)
    if (!worker) return
    const { decision, facts } = await this.look(name)
    this.#count(name, decision.reason ?? decision.decision)
    if (facts.active === true) this.#memory.resumed(name)
    if (decision.reason === null) await this.#start(name, worker, facts)
    else if (decision.reason !== 'active' && this.#memory.isNews(`worker:${name}`, decision.reason))
      this.#memory.tell({
        kind: 'worker_refused',
        from: name,
        pool: worker.pool,
        reason: decision.reason,
        detail: { pending: facts.pending },
      })
    this.#announce(name, worker)
  }

  /** What would be decided now; starts nothing. */
  async look(name: string): Promise<Seen> {
    const worker = this.get(name)
    if (!worker) throw new Error(`no worker ${name}`)
    const facts = await this.#facts(name, worker)
    const decision = decideWorker(facts)
    const known = this.#seen.get(name)
    const { now } = facts
    const downs = isDown(facts, decision) || (decision.reason === null && known?.downs) ? (known?.downs ?? 0) + 1 : 0
    const since = known?.decision.reason === decision.reason ? known.since : now
    const seen = { facts, decision, at: now, since, downs }
    this.#seen.set(name, seen)
    return seen
  }

  shape(name: string): WorkerShape {
    const seen = this.#seen.get(name)
    return {
      name,
      active: seen?.facts.active ?? null,
      pending: seen?.facts.pending ?? null,
      running: this.get(name)?.running ? (seen?.facts.running ?? null) : null,
      decision: seen?.decision.decision ?? null,
      reason: seen?.decision.reason ?? null,
      at: seen ? new Date(seen.at).toISOString() : null,
    }
  }

  /** Whether it ought to run: somebody wants it, and jobs wait. */
  shouldRun(name: string): boolean {
    const facts = this.#seen.get(name)?.facts
    return facts?.enabled === true && (facts.pending ?? 0) > 0
  }

  /** Decisions so far, by reason; `started` stands for none against it. */
  decisions(): Iterable<[worker: string, counts: ReadonlyMap<string, number>]> {
    return this.#counts
  }

  /** The workers that need the hot path, and whether they run now. */
  async using(hotPath: string): Promise<readonly WorkerSeen[]> {
    const all = Object.entries(this.#parts.settings().workers).filter(([, { hotPaths }]) => hotPaths.includes(hotPath))
    return Promise.all(
      all.map(async ([name, { isActive, start, stop }]) => ({
        name,
        active: await this.#isActive(isActive),
        free: await this.isFree(name),
        starts: this.#memory.actions('starts', name),
        start,
        stop,
      })),
    )
  }

  /** Whether the guard may stop and start it: it is switched on, and no deployment is under way. */
  async isFree(name: string): Promise<boolean> {
    const worker = this.get(name)
    if (!worker) return false
    const { system, data } = this.#parts
    const lockAgeMs = await this.#lockAge(worker)
    if (isLocked({ lockAgeMs, lockStaleMs: worker.deployLock?.staleMs ?? 0 })) return false
    return isEnabled(system, sentinelOf(name, worker.enabledBy, data))
  }

  /** The newest facts of the notice about a worker that is down. */
  down(name: string): { pending: number; since: number | null; reason: WorkerReason } | null {
    const seen = this.#seen.get(name)
    const reason = seen?.decision.reason
    return seen && reason ? { pending: seen.facts.pending ?? 0, since: this.#heldSince(name, seen), reason } : null
  }

  async #facts(name: string, worker: Worker): Promise<WorkerFacts> {
    const { clock, system, data } = this.#parts
    const [enabled, active, pending, running, lockAgeMs, pool] = await Promise.all([
      isEnabled(system, sentinelOf(name, worker.enabledBy, data)),
      this.#isActive(worker.isActive),
      this.#number(worker.pending),
      worker.running ? this.#number(worker.running) : 0,
      this.#lockAge(worker),
      worker.pool === null ? null : this.#parts.pool(worker.pool),
    ])
    return {
      enabled,
      active,
      pending,
      running,
      lockAgeMs,
      lockStaleMs: worker.deployLock?.staleMs ?? 0,
      paths: worker.hotPaths.map((path) => this.#pathState(path)?.state ?? null),
      starts: this.#memory.actions('starts', name),
      needsPerson: pool?.needsPerson === true,
      stoppedByUs: this.#memory.isStopped(name),
      now: clock.now(),
    }
  }

  /** Whether the command exits with 0; null when it could not be run. */
  async #isActive(words: readonly [string, ...string[]]): Promise<boolean | null> {
    const { code } = await this.#parts.system.command(words, checkMs)
    return code === null ? null : code === 0
  }

  /** The number at the beginning of what the command prints; null when it fails or prints none. */
  async #number(words: readonly [string, ...string[]]): Promise<number | null> {
    const { code, output } = await this.#parts.system.command(words, checkMs)
    const found = /^\s*(\d{1,12})\b/.exec(output)?.[1]
    return code === 0 && found !== undefined ? Number(found) : null
  }

  /** How old the deployment's lock is, null when there is none; one that cannot be looked at counts as held. */
  async #lockAge({ deployLock }: Worker): Promise<number | null> {
    if (!deployLock) return null
    try {
      const found = await this.#parts.system.look(deployLock.path)
      return found && Math.max(0, this.#parts.clock.now() - found.at)
    } catch {
      return 0
    }
  }

  async #start(name: string, worker: Worker, facts: WorkerFacts): Promise<void> {
    const { system, data, clock } = this.#parts
    // Off at once: it may have been removed while the checks ran.
    if (!(await isEnabled(system, sentinelOf(name, worker.enabledBy, data)))) return
    await this.#memory.begin('starts', name)
    const { code } = await system.command(worker.start, startMs)
    if (code === 0) this.#memory.resumed(name)
    this.#memory.isNews(`worker:${name}`, null)
    const detail = { pending: facts.pending, code }
    this.#memory.tell({ kind: 'worker_started', from: name, pool: worker.pool, detail })
    const active = await this.#isActive(worker.isActive)
    const seen = this.#seen.get(name)
    if (seen) this.#seen.set(name, { ...seen, facts: { ...seen.facts, active }, at: clock.now() })
  }

  #announce(name: string, worker: Worker): void {
    const seen = this.#seen.get(name)
    if (!seen) return
    const told = this.#memory.opened('worker', name)
    const { active, pending } = seen.facts
    if (told === null && seen.downs >= fewestDowns && seen.decision.reason !== null) {
      this.#memory.open('worker', name)
      const detail = { pending: pending ?? 0, since: this.#heldSince(name, seen) }
      this.#memory.tell({ kind: 'worker_down', from: name, pool: worker.pool, reason: seen.decision.reason, detail })
    } else if (told !== null && (active === true || pending === 0 || !seen.facts.enabled)) {
      this.#memory.close('worker', name)
      this.#memory.tell({ kind: 'worker_up', from: name, pool: worker.pool, detail: { downAt: told.at } })
    }
  }

  /** Since when what keeps it from running has held: of storage, since it could not be read. */
  #heldSince(name: string, { decision, since }: Seen): number | null {
    if (decision.reason !== 'storage-unreadable') return since
    const paths = this.get(name)?.hotPaths.flatMap((path) => this.#pathState(path) ?? []) ?? []
    const unreadable = paths.filter(({ state }) => state !== 'readable').map((path) => path.since)
    return unreadable.length > 0 ? Math.min(...unreadable) : since
  }

  #count(name: string, word: string): void {
    const counts = this.#counts.get(name) ?? new Map<string, number>()
    counts.set(word, (counts.get(word) ?? 0) + 1)
    this.#counts.set(name, counts)
  }
}
