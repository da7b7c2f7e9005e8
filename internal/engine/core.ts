import type { Clock } from '../clock/clock.ts'
import type { Logger } from '../log/log.ts'
import type { Circumstances, CooldownSettings } from '../pool/pool.ts'
import type { Prober } from './engine.ts'
import type { Journal } from './journal.ts'
import type { LiveLease } from './live.ts'
import type { Registry } from './registry.ts'
import type { Signals } from './signals.ts'

/** What the operator configures of the engine; lengths in ms. */
export interface EngineSettings {
  readonly cooldown: CooldownSettings & { readonly parkMs: number }
  readonly maxWaitMs: number
  readonly onExhausted: 'reject' | 'degrade'
  readonly preemptAt: number | null
  readonly dedupeMs: number
  /** How long an upstream may take to answer at all; a probe's lease outlives it. */
  readonly headMs: number
}

/** What the parts of the engine share. */
export interface Core {
  readonly clock: Clock
  readonly log: Logger
  readonly registry: Registry
  readonly journal: Journal
  readonly signals: Signals
  readonly leases: Map<number, LiveLease>
  readonly prober: () => Prober
  readonly random: () => number
  settings: EngineSettings
}

/** The circumstances of a transition that happens now. */
export function circumstances(core: Core): Circumstances {
  return { now: core.clock.now(), jitter: core.random(), settings: core.settings.cooldown }
}
