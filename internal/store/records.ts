import type { DomainEvent } from '../events/events.ts'
import type {
  Actor,
  Affinity,
  At,
  Cooling,
  Findings,
  Health,
  ModelFamily,
  OnExhausted,
  Park,
  Probing,
  Reason,
  Usage,
} from '../pool/pool.ts'
import type { Sealed } from '../vault/vault.ts'

/** Where the secret of a credential comes from; a reference, never the secret. */
export type Source =
  | { readonly kind: 'vault' }
  | { readonly kind: 'file'; readonly path: string; readonly format: string }
  /** `kept`: a sealed copy serves while the variable is not set. */
  | { readonly kind: 'env'; readonly variable: string; readonly kept?: boolean }
  | { readonly kind: 'command'; readonly command: string }

/** A credential's identity and settings. `id` is never reused; `name` is unique among the living. */
export interface CredentialRecord {
  readonly id: string
  readonly name: string
  readonly provider: string
  /** The shape of API that it is for, where the provider offers several; absent: any. */
  readonly shape?: string | undefined
  readonly baseUrl: string | null
  /** The quota domain; null when it shares its limits with nobody. */
  readonly domain: string | null
  /** The header that carries the secret where the dialect leaves it open (`generic`). */
  readonly header: string | null
  readonly source: Source
  /** `api-key`: a fixed secret; `oauth`: tokens that are refreshed. */
  readonly auth: 'api-key' | 'oauth'
  /** How an `oauth` credential is refreshed; absent for keys. */
  readonly oauth?: OAuthSettings
  readonly createdAt: At
}

/** Which authorization server refreshes a credential; what is null comes from the configuration of that login. */
export interface OAuthSettings {
  /** `codex`, `claude`, `gemini` or `oauth` (any OAuth 2 server: then `tokenUrl` and `clientId` are given). */
  readonly login: string
  readonly tokenUrl: string | null
  readonly clientId: string | null
  readonly clientSecretFile: string | null
  readonly scope: string | null
}

/**
 * How far the refreshing of a credential's tokens is. It is durable before a refresh token is presented, so that after a
 * crash nobody presents a token that has a successor.
 */
export interface RefreshRecord {
  readonly id: string
  /** Grows with each token set; a write names the one it replaces. */
  readonly generation: number
  /** The refresh token (its digest) that was presented without an answer yet, and how often. */
  readonly intent: { readonly digest: string; readonly startedAt: At; readonly presented: number } | null
  /** The refresh token (its digest) that the authorization server refused: it is never presented again. */
  readonly refused: { readonly digest: string; readonly at: At; readonly reason: Reason } | null
  /** Passing failures in a row. */
  readonly failures: number
  readonly nextAttemptAt: At
}

/** A health with the findings behind it, which replicas join; absent where nobody shares the store. */
export type KeptHealth = Health & { readonly known?: Known }

/** Findings about a gate, and about the models of a credential. */
export interface Known {
  readonly own: Findings
  readonly models?: readonly (readonly [ModelFamily, Findings])[]
}

/** What has happened to a credential; grows a generation when its secret changes. */
export interface CredentialState {
  readonly id: string
  readonly generation: number
  readonly health: KeptHealth
  readonly scoped: readonly (readonly [ModelFamily, Cooling | Probing])[]
}

export interface PoolRecord {
  readonly name: string
  readonly provider: string
  /** The shape of API that is spoken, where the provider offers several; absent: the provider's own. */
  readonly shape?: string | undefined
  readonly upstream: string | null
  readonly strategy: string
  readonly maxWaitMs: number | null
  readonly onExhausted: OnExhausted | null
  readonly preemptAt: number | null
  readonly probePath: string | null
  readonly affinity: Affinity | null
  readonly createdAt: At
}

/** What a pool remembers over a restart beside its settings. */
export interface PoolState {
  readonly name: string
  /** The credential id that the sticky pointer is at. */
  readonly active: string | null
  /** `refused`: as it was when the row was written; `model`: for requests of that family only. */
  readonly exhausted: {
    readonly since: At
    readonly told: boolean
    readonly refused?: number
    readonly model?: string
  } | null
  /** A member of a later tier serves; absent: none does. */
  readonly backup?:
    | {
        readonly tier: number
        readonly since: At
        readonly lastAt: At
        readonly served: number
        readonly helpsOut: boolean
      }
    | undefined
}

export interface SeatRecord {
  readonly pool: string
  readonly credentialId: string
  readonly epoch: number
  /** The order within the pool; positions are ranks and need not be contiguous. */
  readonly position: number
  readonly weight: number
  readonly tier: number
  readonly maxInFlight: number | null
  /** Percent of each window, by its name. */
  readonly caps: Readonly<Record<string, number>>
  readonly park: Park | null
}

export interface DomainState {
  readonly name: string
  readonly health: KeptHealth
}

export interface HostState {
  readonly host: string
  readonly failures: number
  readonly since: At
  readonly nextAttemptAt: At
}

/** The password hash is a digest: client keys are 256 random bits, so a plain SHA-256 is enough. */
export interface KeyRecord {
  readonly id: string
  readonly name: string
  readonly digest: string
  /** Pools that the key may use; null is all. */
  readonly pools: readonly string[] | null
  readonly createdAt: At
  readonly revokedAt: At | null
}

/** A secret at rest: `field` is `secret`, or a part of a token set such as `refresh_token`. */
export interface SecretRecord {
  /** A credential id, or `key:<id>` for a client key that is kept for `env` and `run`. */
  readonly owner: string
  readonly field: string
  readonly generation: number
  readonly sealed: Sealed
}

export interface AuditRow {
  readonly seq: number
  readonly at: At
  readonly kind: string
  readonly pool: string | null
  readonly from: string | null
  readonly to: string | null
  readonly reason: DomainEvent['reason']
  readonly actor: Actor
  readonly suppressed: number
  readonly detail: Readonly<Record<string, unknown>>
  readonly hash: string
}

/** One message that waits for a channel; `incident` groups the messages that are edits of one another. */
export interface OutboxRecord {
  readonly id: string
  readonly channel: string
  readonly incident: string
  readonly body: Readonly<Record<string, unknown>>
  readonly createdAt: At
  readonly attempts: number
  readonly nextAttemptAt: At
}

/**
 * What went through in one hour for one key, member and model of a pool, as one process added it up. It is written over
 * as it grows, so that a write which happens twice changes nothing.
 */
export interface UsageRecord {
  /** When the hour began, in UTC. */
  readonly hour: At
  /** The run of the program that counted. */
  readonly writer: string
  readonly pool: string
  /** The name of the client key. */
  readonly key: string
  readonly member: string
  /** Empty where neither request nor answer named one. */
  readonly model: string
  /** Answers of the member that were passed on. */
  readonly requests: number
  /** Those of them that did not tell their tokens. */
  readonly unmetered: number
  /** Those that told them, while the price of the model is unknown. */
  readonly unpriced: number
  readonly input: number
  readonly cached: number
  readonly cacheWrite: number
  readonly output: number
  readonly reasoning: number
  /** By list price, in billionths of a dollar. */
  readonly cost: number
}

/** A condition with a beginning and an end, as `notify` tells it. */
export interface IncidentRecord {
  readonly id: string
  readonly kind: string
  readonly pool: string | null
  readonly subject: string | null
  readonly reason: DomainEvent['reason']
  readonly openedAt: At
  readonly closedAt: At | null
  readonly count: number
  /** What the channels need to edit and close it: message ids and the like. */
  readonly state: Readonly<Record<string, unknown>>
}

/** What was heard of a credential's limits in five minutes, and what was asked of it meanwhile. */
export interface UsageSample {
  readonly credentialId: string
  /** The beginning of the five minutes. */
  readonly at: At
  /** Which of the processes that share the store has written it; empty where one has it to itself. */
  readonly writer: string
  /** The limits as they were last heard of. */
  readonly windows: readonly Usage[]
  readonly work: readonly SampledWork[]
}

/** What one client key asked of a credential through one pool. */
export interface SampledWork {
  readonly pool: string
  /** null: of keys beyond the largest, together. */
  readonly key: string | null
  readonly requests: number
  /** Of the credential's longest limit, in percent; what several keys used together is divided by their requests. */
  readonly percent: number
  /** Nobody in the pool could serve for a part of the time. */
  readonly isDry?: boolean
}
