import type { GuardReason } from '../../events/events.ts'
import type { Actor, GuardSettings, HotPathShape, ProbeShape, RecoveryShape } from '../../ops/ops.ts'
import type { GuardDeps } from '../context.ts'
import { type PathState, worst } from '../decide/path.ts'
import { planRecovery, type RecoveryFacts, type WorkerSeen } from '../decide/recovery.ts'
import type { Memory } from '../memory.ts'
import { OneAtATime } from '../one-at-a-time.ts'
import { isEnabled, sentinelOf } from '../sentinel.ts'
import { shown } from '../shown.ts'
import { Needed } from './needed.ts'
import type { Probed } from './prober.ts'
import { carryOut } from './recovery.ts'

type HotPath = GuardSettings['hotPaths'][string]

/** What a recovery has to know of workers. */
interface WorkersNear {
  /** Those that need the hot path. */
  using(hotPath: string): Promise<readonly WorkerSeen[]>
  /** Whether the guard may stop and start it now. */
  isFree(worker: string): Promise<boolean>
}

/** What was last seen of a hot path. */
interface Seen {
  readonly state: PathState
  readonly since: number
  readonly at: number
  readonly paths: readonly Probed[]
  readonly path: string | null
  readonly enabled: boolean
}

/** The paths that work needs. */
export class HotPaths {
  readonly #parts: GuardDeps
  readonly #memory: Memory
  readonly #needed: Needed
  readonly #seen = new Map<string, Seen>()
  /** Whose steps are being done. */
  readonly #mending = new Set<string>()
  readonly #recovering = new OneAtATime()
  readonly #workers: WorkersNear

  constructor(parts: GuardDeps, memory: Memory, workers: WorkersNear) {
    this.#parts = parts
    this.#memory = memory
    this.#needed = new Needed(parts)
    this.#workers = workers
  }

  get names(): readonly string[] {
    return Object.keys(this.#parts.settings().hotPaths)
  }

  get(name: string): HotPath | null {
    return this.#parts.settings().hotPaths[name] ?? null
  }

  /** null: not known yet, or being recovered. */
  state(name: string): { readonly state: PathState; readonly since: number } | null {
    if (this.#mending.has(name)) return null
    return this.#seen.get(name) ?? null
  }

  /** Looks at it, recovers it where it may, and tells what lasts. */
  async tick(name: string): Promise<void> {
    const hot = this.get(name)
    if (!hot) return
    await this.look(name)
    if (this.#seen.get(name)?.state === 'stale' || this.#memory.unmounted(name) !== null)
      await this.recover(name, { dryRun: false, actor: 'spillway', byItself: true })
    this.#announce(name, hot)
  }

  async look(name: string): Promise<ProbeShape> {
    const hot = this.get(name)
    if (!hot) throw new Error(`no hot path ${name}`)
    const { clock, system, data } = this.#parts
    const [paths, enabled] = await Promise.all([
      this.#needed.next(hot),
      isEnabled(system, sentinelOf(name, hot.recover.enabledBy, data)),
    ])
    const found = worst(paths)
    // Without a next job nothing has to be readable; a command that cannot say is another matter.
    const state = (await this.#isBare(name)) ? 'missing' : (found?.state ?? 'readable')
    const known = this.#seen.get(name)
    const since = known?.state === state ? known.since : clock.now()
    this.#seen.set(name, { state, since, at: clock.now(), paths, path: found?.path ?? hot.path, enabled })
    return { name, state, paths: paths.map(({ path, state: each, ms }) => ({ path, state: each, ms })) }
  }

  /** Whether its mountpoint is one that we unmounted and that nobody has mounted since. */
  async #isBare(name: string): Promise<boolean> {
    const mountpoint = this.#memory.unmounted(name)
    if (mountpoint === null) return false
    const mounts = await this.#parts.system.mounts().catch(() => [])
    const isMounted = mounts.some((mount) => mount.mountpoint === mountpoint)
    if (isMounted && !this.#mending.has(name)) this.#memory.mounted(name)
    return !isMounted
  }

  shape(name: string): HotPathShape {
    const seen = this.#seen.get(name)
    const last = this.#memory.last[name]
    return {
      name,
      path: seen?.path ?? this.get(name)?.path ?? null,
      state: seen?.state ?? null,
      since: seen ? new Date(seen.since).toISOString() : null,
      lastRecovery: last ? { at: new Date(last.at).toISOString(), result: last.result, reason: last.reason } : null,
      enabled: seen?.enabled ?? null,
      paths: seen?.paths.map(({ path, state }) => ({ path, state })) ?? [],
    }
  }

  /** Does what its plan says, or says what it would do, or why not. One recovery at a time. */
  async recover(name: string, how: { dryRun: boolean; actor: Actor; byItself?: boolean }): Promise<RecoveryShape> {
    return this.#recovering.run(name, () => this.#recover(name, how))
  }

  async #recover(
    name: string,
    { dryRun, actor, byItself = false }: { dryRun: boolean; actor: Actor; byItself?: boolean },
  ): Promise<RecoveryShape> {
    const hot = this.get(name)
    if (!hot) throw new Error(`no hot path ${name}`)
    if (!byItself) await this.look(name)
    const facts = await this.#facts(name, hot, dryRun)
    const plan = planRecovery(facts)
    if (plan.refused !== null) {
      const shape: RecoveryShape = { name, result: 'refused', reason: plan.refused, steps: [] }
      const path = this.#seen.get(name)?.path ?? ''
      // Off by the operator's choice, and nothing to do, are no news.
      if (!dryRun && plan.refused !== 'not-stale') this.#memory.recovered(name, 'refused', plan.refused)
      const isNews = !dryRun && plan.refused !== 'disabled' && plan.refused !== 'not-stale'
      if (isNews && this.#memory.isNews(`path:${name}`, plan.refused))
        this.#failed(name, actor, plan.refused, { path: shown(path), step: null, said: null })
      return shape
    }
    if (dryRun) {
      const steps = plan.steps.map(({ step, command }) => ({
        step,
        command: command && [...command],
        result: 'planned',
        ms: null,
      }))
      return { name, result: 'dry-run', reason: null, steps }
    }
    await this.#memory.begin('recoveries', name)
    const sentinel = sentinelOf(name, hot.recover.enabledBy, this.#parts.data)
    this.#mending.add(name)
    const { steps, failed } = await carryOut(plan, {
      parts: this.#parts,
      memory: this.#memory,
      name,
      actor,
      isFree: (worker) => this.#workers.isFree(worker),
      isEnabled: () => isEnabled(this.#parts.system, sentinel),
      areReadable: async () => (await this.look(name)).state === 'readable',
      probeMs: hot.probeMs,
    }).finally(() => this.#mending.delete(name))
    const result = failed === null ? 'done' : 'failed'
    this.#memory.recovered(name, result, failed?.step ?? null)
    this.#memory.isNews(`path:${name}`, null)
    const path = shown(plan.path)
    if (failed) this.#failed(name, actor, 'failed', { path, step: failed.step, said: failed.said })
    else
      this.#memory.tell({
        kind: 'path_recovered',
        from: name,
        actor,
        detail: { path, steps: steps.map(({ step, result: each }) => `${step}: ${each}`) },
      })
    return { name, result, reason: failed?.step ?? null, steps: [...steps] }
  }

  #failed(
    from: string,
    actor: Actor,
    reason: GuardReason,
    detail: { path: string; step: string | null; said: string | null },
  ): void {
    this.#memory.tell({ kind: 'path_recovery_failed', from, actor, reason, detail })
  }

  async #facts(name: string, hot: HotPath, dryRun: boolean): Promise<RecoveryFacts> {
    const { clock, system, data } = this.#parts
    const seen = this.#seen.get(name)
    const isStale = seen?.state === 'stale' || seen?.paths.some(({ state }) => state === 'stale')
    const enabled = await isEnabled(system, sentinelOf(name, hot.recover.enabledBy, data))
    // What is not needed for the answer is not asked for.
    const goesOn =
      (isStale === true || this.#memory.unmounted(name) !== null) && hot.recover.unmount && (enabled || dryRun)
    const { unmount, remount, after, maxPerHour } = hot.recover
    return {
      dryRun,
      enabled,
      paths: seen?.paths ?? [],
      exact: hot.path !== null,
      root: hot.root,
      unmount,
      remount,
      after,
      unmounted: this.#memory.unmounted(name),
      mountpoints: goesOn ? await system.mounts().catch(() => []) : [],
      running: goesOn ? await this.#needed.running(hot) : [],
      workers: goesOn ? await this.#workers.using(name) : [],
      recoveries: this.#memory.actions('recoveries', name),
      maxPerHour,
      now: clock.now(),
    }
  }

  #announce(name: string, hot: HotPath): void {
    const seen = this.#seen.get(name)
    if (!seen) return
    const now = this.#parts.clock.now()
    const told = this.#memory.opened('path', name)
    const path = shown(seen.path ?? '')
    if (seen.state !== 'readable' && told === null && now - seen.since >= hot.unrecoveredMs) {
      this.#memory.open('path', name)
      const detail = { path, state: seen.state, since: seen.since }
      this.#memory.tell({ kind: 'path_unrecovered', from: name, reason: 'storage-unreadable', detail })
    } else if (seen.state === 'readable' && told !== null) {
      this.#memory.close('path', name)
      this.#memory.tell({ kind: 'path_readable', from: name, detail: { path, since: told.at - hot.unrecoveredMs } })
    }
  }
}
