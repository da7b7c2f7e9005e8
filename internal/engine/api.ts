import type { EventKind } from '../events/events.ts'
import type {
  Actor,
  At,
  CooldownSettings,
  Health,
  ModelFamily,
  Outcome,
  Park,
  Reason,
  Remedy,
  Usage,
} from '../pool/pool.ts'
import type { CredentialRecord, PoolRecord, Write } from '../store/store.ts'
import type { Signal } from './record/signals.ts'

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

/** A pool as the data path sees it; the same object as long as the pool lives. */
export interface LivePool {
  readonly name: string
  readonly record: PoolRecord
  /** Of the member that served last, or of the first; null without members. */
  readonly baseUrl: string | null
  /** Requests in flight, for metrics and drain. */
  readonly inFlight: number
}

/** The right to send one attempt with one member. The outcome of the attempt is blamed on this lease. */
export interface Lease {
  readonly id: number
  readonly pool: string
  readonly member: string
  readonly credential: CredentialRecord
  /** Of the seat when the lease was issued. */
  readonly epoch: number
  /** Of the credential's secret when the lease was issued. */
  readonly generation: number
  readonly issuedAt: At
  readonly role: 'active' | 'failover' | 'probe' | 'parked' | 'degraded'
  readonly model: ModelFamily | null
  /** The upstream host (`host:port`) this lease goes to. */
  readonly host: string
  readonly baseUrl: string
}

export interface WhyNot {
  readonly member: string
  /** Why it would not serve, as a named state: `cooling`, `parked`, `needs-login`, `unreadable`, `disabled`, `suspect`, `probing`, `tried`, `model`, `host`. */
  readonly why: string
  readonly reason: Reason | null
  readonly until: At | null
}

/** The decision that no member of the pool can serve. */
export interface Exhausted {
  readonly kind: 'exhausted'
  /** When the next member recovers; null when a person must act first. */
  readonly retryAt: At | null
  readonly needsPerson: boolean
  readonly members: number
  readonly first: string | null
  /** What a person has to do, when only a person can help; null otherwise. */
  readonly remedy: Remedy | null
}

export type Decision =
  | { readonly kind: 'lease'; readonly lease: Lease }
  | Exhausted
  /** Members are well but their upstream hosts are not reachable. */
  | { readonly kind: 'host-down'; readonly retryAt: At; readonly host: string }
  /** Everybody who could serve has been tried by this request: pass the last answer on. */
  | { readonly kind: 'tried-all' }
  /** The pool has no members at all. */
  | { readonly kind: 'empty' }

/** What the canonical probe of a suspect found. */
export type Finding = 'cleared' | 'confirmed' | 'inconclusive'

/** The canonical probe, implemented by `proxy`: one cheap request with the credential and no client headers. */
export interface Prober {
  probe(
    credential: CredentialRecord,
    pool: PoolRecord,
  ): Promise<{ finding: Finding; reason: Reason; status: number | null }>
}

/** What an upstream answered to the free canonical request, and what that says about the credential. */
export interface Answer {
  readonly finding: Finding
  readonly outcome: Outcome
}

/** Asks upstreams in the background, without a request of a client; implemented by `proxy`. */
export interface Scout {
  /** The answer to the free canonical request with the credential as it is; null when there is no such request (`generic` without `probePath`) or no answer. */
  ask(credential: CredentialRecord, pool: PoolRecord): Promise<Answer | null>
  /** Whether a connection to the upstream can be opened; sends no request and never rejects. */
  connects(baseUrl: string): Promise<boolean>
}

export interface MemberStatus {
  readonly name: string
  readonly position: number
  readonly weight: number
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
  readonly usage: readonly Usage[]
  readonly domain: string | null
  readonly host: string
  /** false: the host is down, which says nothing about the member. */
  readonly reachable: boolean
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
  readonly members: readonly MemberStatus[]
}

/** Which member would serve now and in which tier, and for each other member why it would not. */
export interface Explanation {
  readonly pool: string
  readonly decision: Decision
  readonly why: string
  readonly members: readonly WhyNot[]
}

/** What the data path asks of the engine; no call waits. */
export interface DataPath {
  find(pool: string): LivePool | undefined
  /** Refuses a request, and counts it, where the pool is known to be exhausted and would say the same to any; otherwise null: it has to `begin`. */
  turnAway(pool: LivePool): Exhausted | null
  /** True when the model of a request can matter, so that its body must be parsed for it. */
  wantsModel(pool: LivePool): boolean
  /** One more request is under way, until its turn ends. */
  begin(pool: LivePool, model: ModelFamily | null): Turn
  /** Whether the lease's member could serve still: not once it has cooled, needs a login, is disabled, or lost its seat. */
  mayStillServe(lease: Lease): boolean
}

/**
 * One request's turn in a pool, from its first member to its end. It has one lease at a time: the latest that `next` or
 * `hold` gave; what is reported is about that one. Nothing but `hold`, `finding` and `pending` ever waits.
 */
export interface Turn {
  readonly pool: LivePool
  /** May be set late, when the body was parsed because an outcome is scoped. */
  model: ModelFamily | null
  readonly startedAt: At
  /** All leases so far. */
  readonly leases: readonly Lease[]
  /** Milliseconds this request has been held already. */
  readonly heldMs: number
  /** The next member for this request; the lease before is given back. */
  next(): Decision
  /** What a fresh request for the same model would be told now; gives nothing out. */
  outlook(): Decision
  /** Whether recovery is near enough for the request to wait for it. */
  mayHold(decision: Exhausted): boolean
  /** Waits in the queue while the pool is exhausted and recovery is near; then the same answers as `next`. `signal` ends the wait. */
  hold(signal: AbortSignal): Promise<Decision>
  /** Applies what came back at the first decisive head or stream event; further calls for the same lease do nothing. */
  report(outcome: Outcome): void
  /** A failure inside an answer that has been reported as a success: cools, cannot replay. */
  late(outcome: Outcome): void
  /**
   * Whether a client that comes again at once, after the present member refused without having cooled, meets another one
   * that can serve: for that the member is passed over for a moment.
   */
  hop(): boolean
  /** Which member beside the present one recovers by itself, first and when; null when none does. */
  recovery(): Exhausted | null
  /** What a successful answer says of the member's limits, which is read at most once a second for each credential; with `preemptAt`, a sticky pool leaves a member near its limit. */
  observe(read: () => readonly Usage[]): void
  /** Resolves with what the canonical probe of the lease's suspect member found, or `inconclusive` after `withinMs`. */
  finding(lease: Lease, withinMs: number): Promise<Finding>
  /**
   * Settles when the probe of a suspect in the pool has found something, at the latest when that probe is `withinMs` old;
   * null when none is under way.
   */
  pending(withinMs: number): Promise<unknown> | null
  /** The request was answered locally because the pool is exhausted; counts it and opens the incident once. */
  refused(decision: Exhausted): void
  /** The request is over; its lease is given back. Call it exactly once. */
  end(): void
}

/** A member of a new pool. */
export interface NewMember {
  readonly member: string
  readonly weight: number
}

/** What operators do. Each resolves when the change is durable and rejects with a Refusal when it cannot be done. */
export interface Commands {
  createPool(record: PoolRecord, members: readonly NewMember[], actor: Actor): Promise<void>
  changePool(
    name: string,
    change: Partial<Omit<PoolRecord, 'name' | 'provider' | 'createdAt'>>,
    actor: Actor,
  ): Promise<void>
  deletePool(name: string, actor: Actor): Promise<void>
  /** `position` counts from 1; null appends. */
  addMember(
    pool: string,
    member: string,
    options: { position: number | null; weight: number },
    actor: Actor,
  ): Promise<void>
  dropMember(pool: string, member: string, actor: Actor): Promise<void>
  reorder(pool: string, members: readonly string[], actor: Actor): Promise<void>
  /** Parks the active member for `forMs` (null: the configured default) and moves on; refuses when nobody healthy is left to move to. */
  rotate(
    pool: string,
    options: { to: string | null; forMs: number | null },
    actor: Actor,
  ): Promise<{ from: string; to: string; until: At }>
  /** `forMs` null parks until somebody unparks. */
  park(pool: string, member: string, forMs: number | null, actor: Actor): Promise<Park>
  /** false: it was not parked. */
  unpark(pool: string, member: string, actor: Actor): Promise<boolean>
  /** Ends a cooldown or a suspicion, of the member, its models and its domain; false: there was none. */
  clear(pool: string, member: string, actor: Actor): Promise<boolean>
  addCredential(record: CredentialRecord, alsoWrite: readonly Write[], actor: Actor): Promise<void>
  removeCredential(name: string, options: { force: boolean }, actor: Actor): Promise<void>
  /** false: it already is so. */
  setEnabled(name: string, enabled: boolean, actor: Actor): Promise<boolean>
  /** The secret of a credential changed: a new generation. A `login` or an `operator` ends whatever kept it out, a `refresh` only a rejected login. */
  renewCredential(
    name: string,
    how: 'login' | 'operator' | 'refresh',
    alsoWrite: (generation: number) => readonly Write[],
    actor: Actor,
  ): Promise<void>
  /** A person must log in, or mend the source of a secret that is `unreadable`: out of selection until `renewCredential`. */
  needsLogin(name: string, generation: number, reason: Reason): Promise<void>
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
  explain(name: string, model: ModelFamily | null): Explanation
  credentials(): readonly CredentialStatus[]
  /** The credential of that id; undefined when there is none. */
  credential(id: string): CredentialStatus | undefined
}

export interface Engine extends DataPath, Commands, Views {
  /** Records something that happened elsewhere (keys, configuration) with its writes; false when it was only counted. */
  tell<K extends EventKind>(signal: Signal<K>, writes?: readonly Write[]): boolean
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
