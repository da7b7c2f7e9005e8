import type { At, Caps, Forecast, Health, ModelFamily, Park, Reason, Usage } from '../../pool/pool.ts'
import type { CredentialRecord, PoolRecord } from '../../store/store.ts'
import type { Decision } from './data-path.ts'

export interface MemberStatus {
  readonly name: string
  readonly position: number
  readonly weight: number
  readonly tier: number
  readonly maxInFlight: number | null
  readonly caps: Caps
  /** Until when it counts as used up because of a cap. */
  readonly cappedUntil: At | null
  /** The worse of the credential's own health and its quota domain's. */
  readonly health: Health
  readonly park: Park | null
  /** Whether this member would serve the next request. */
  readonly active: boolean
  readonly inFlight: number
  readonly lastUsedAt: At | null
  readonly requests: number
  readonly failures: number
  readonly scoped: readonly { readonly model: ModelFamily; readonly reason: Reason; readonly until: At }[]
  /** What the upstream last said of the member's limits, leaving out what has reset since. */
  readonly usage: readonly (Usage & { /** Percent at which the operator stops it. */ readonly cap: number | null })[]
  readonly domain: string | null
  readonly host: string
  /** false: the host is down, which says nothing about the member. */
  readonly reachable: boolean
}

/** When a pool runs dry, as it is told. */
export interface PoolForecast extends Forecast {
  readonly at: At
  /** Which client keys burn its limits, the largest first; parts of 1. */
  readonly keys: readonly { readonly key: string; readonly share: number }[]
}

export interface PoolStatus {
  readonly record: PoolRecord
  /** Who would serve now; null when nobody can. */
  readonly active: string | null
  readonly exhausted: boolean
  readonly retryAt: At | null
  /** The host without which nobody can serve, since when it is down, and when it is tried next; null otherwise. */
  readonly unreachable: { readonly host: string; readonly since: At; readonly retryAt: At } | null
  /** Who would serve a model family where that is not the active member; null when nobody can. */
  readonly activeFor: readonly { readonly model: ModelFamily; readonly member: string | null }[]
  /** The exhaustion that requests have met and that has not ended by a served one; with how many were refused. */
  readonly incident: { readonly since: At; readonly refused: number } | null
  readonly forecast: PoolForecast
  readonly members: readonly MemberStatus[]
}

export interface WhyNot {
  readonly member: string
  /** Why it would not serve, as a named state: `cooling`, `parked`, `needs-login`, `unreadable`, `disabled`, `suspect`, `probing`, `tried`, `model`, `host`, `capped`, `full`, `tier` (an earlier one serves), `elapsed`, `standby`. */
  readonly why: string
  readonly reason: Reason | null
  readonly until: At | null
}

/** Which member would serve now and in which rung, and for each other member why it would not. */
export interface Explanation {
  readonly pool: string
  readonly decision: Exclude<Decision, { kind: 'full' | 'paced' | 'owner-away' }>
  readonly why: string
  readonly members: readonly WhyNot[]
}

/** A credential with its health and generation, and the names of the pools that it is in. */
export interface CredentialStatus {
  readonly record: CredentialRecord
  readonly generation: number
  readonly health: Health
  readonly pools: readonly string[]
}

/** Views of the live state; no call waits or changes anything. */
export interface Views {
  pools(): readonly PoolStatus[]
  pool(name: string): PoolStatus | undefined
  /** How many requests got 503 because the host is down, and the pools behind it. */
  outage(host: string): { readonly refused: number; readonly pools: readonly string[] }
  explain(name: string, model: ModelFamily | null): Explanation
  credentials(): readonly CredentialStatus[]
  /** The credential of that id; undefined when there is none. */
  credential(id: string): CredentialStatus | undefined
}
