/**
 * The live pools: gives out leases, applies outcomes in order, keeps what happened durable and announces it.
 * One Engine per process; it asks `pool/` what to do and the Store to remember it.
 */
export type {
  Answer,
  Commands,
  CredentialStatus,
  DataPath,
  Decision,
  Engine,
  EngineSettings,
  Exhausted,
  Explanation,
  Finding,
  Lease,
  LivePool,
  MemberStatus,
  NewMember,
  PoolStatus,
  Prober,
  Scout,
  Turn,
  Views,
  WhyNot,
} from './api.ts'
export type { Signal } from './record/signals.ts'
export { type EngineDeps, startEngine } from './start.ts'
