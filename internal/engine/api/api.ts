import type { EventKind } from '../../events/events.ts'
import type { Affinity, At, CooldownSettings, LookMode, OnExhausted } from '../../pool/pool.ts'
import type { AuditRow, Changes, Write } from '../../store/store.ts'
import type { Signal } from '../record/signals.ts'
import type { Commands } from './commands.ts'
import type { DataPath } from './data-path.ts'
import type { Scout } from './probes.ts'
import type { Views } from './views.ts'

/** What the operator configures of the engine; lengths in ms. */
export interface EngineSettings {
  readonly cooldown: CooldownSettings & { readonly parkMs: number }
  readonly maxWaitMs: number
  readonly onExhausted: OnExhausted
  readonly preemptAt: number | null
  readonly affinity: Affinity
  /** How many requests a second may move to a member because another one failed. */
  readonly rampPerSecond: number
  readonly dedupeMs: number
  /** Which logins are asked how much of their limits is used, and how often each, in ms. */
  readonly look: { readonly mode: LookMode; readonly everyMs: number }
  /** How far the zone in which people work is ahead of UTC at an instant, in ms. */
  readonly zoneMs: (at: At) => number
  /** How long an upstream may take to answer at all; a probe's lease outlives it. */
  readonly headMs: number
}

export interface Engine extends DataPath, Commands, Views {
  /** Records something that happened elsewhere (keys, configuration) with its writes; false when it was only counted. */
  tell<K extends EventKind>(signal: Signal<K>, writes?: readonly Write[]): boolean
  /** Takes in what other replicas have changed; nothing of it is told again. */
  adopt(changes: Changes): void
  /** Other replicas have told these events: for a while the same are only counted. */
  heard(rows: readonly AuditRow[]): void
  /** Whether the store can be reached at the moment, where that can be known without writing to it. */
  storeIs(reachable: boolean): void
  /** Whether it is away: it takes no write, or cannot be reached. */
  storeIsAway(): boolean
  /** Resolves when what earlier processes have sampled is known: before that, forecasts are `unknown`. */
  recall(): Promise<void>
  /** From now on recoveries are noticed without traffic: hosts are tried by connecting, exhausted pools by the canonical probe. */
  startScouting(scout: Scout): void
  /** Takes changed settings into use. */
  configure(settings: EngineSettings): void
  /** While the disk is short, counts of repeats are kept in memory only. */
  spareDisk(isShort: boolean): void
  /** Resolves when everything decided so far is durable (or was given up because the store is ill). */
  flush(): Promise<void>
  stop(): Promise<void>
}
