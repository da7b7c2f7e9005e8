import type { Clock } from '../../clock/clock.ts'
import type { Logger } from '../../log/log.ts'
import type { Circumstances, Gate, Owners, Recent } from '../../pool/pool.ts'
import type { EngineSettings } from '../api/api.ts'
import type { Prober, Rights } from '../api/probes.ts'
import type { Journal } from '../record/journal.ts'
import type { Signals } from '../record/signals.ts'
import type { LiveLease, LiveSeat } from './live.ts'
import type { Registry } from './registry.ts'

/** What the parts of the engine share. */
export interface Core {
  readonly clock: Clock
  readonly log: Logger
  readonly registry: Registry
  readonly journal: Journal
  readonly signals: Signals
  readonly leases: Map<number, LiveLease>
  /** Who has served which conversation. */
  readonly conversations: Recent<LiveSeat>
  /** Which quota domain, or credential without one, has what requests name. */
  readonly owners: Owners<Gate>
  readonly prober: () => Prober
  /** null: nobody else tests. */
  readonly rights: Rights | null
  readonly random: () => number
  settings: EngineSettings
}

/** The time, jitter and settings for a transition that happens now. */
export function circumstances(core: Core): Circumstances {
  return { now: core.clock.now(), jitter: core.random(), settings: core.settings.cooldown }
}

/** A number from 0 to 1 that is the same for a credential as long as it lives. */
export function spreadOf(id: string): number {
  let hash = 0
  for (const character of id) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 9_973
  return hash / 9_973
}
