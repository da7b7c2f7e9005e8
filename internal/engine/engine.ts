/**
 * The live pools: gives out leases, applies outcomes in order, keeps what happened durable and announces it.
 * One Engine per process; it asks `pool/` what to do and the Store to remember it.
 */
export type { Engine, EngineSettings } from './api/api.ts'
export type { Commands, NewMember } from './api/commands.ts'
export type {
  DataPath,
  Decision,
  Exhausted,
  Full,
  Lease,
  LivePool,
  NamedState,
  OwnerAway,
  Turn,
} from './api/data-path.ts'
export type { Answer, Checker, Finding, Looked, Probed, Prober, Scout } from './api/probes.ts'
export type {
  CredentialStatus,
  Explanation,
  MemberStatus,
  PoolForecast,
  PoolStatus,
  Views,
  WhyNot,
} from './api/views.ts'
export type { Signal } from './record/signals.ts'
export { type EngineDeps, startEngine } from './start.ts'
