import type { At, ModelFamily, Outcome, Remedy, Usage } from '../../pool/pool.ts'
import type { CredentialRecord, PoolRecord } from '../../store/store.ts'
import type { Finding } from './probes.ts'

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
  /** Of the credential's secret when the lease was issued. */
  readonly generation: number
  readonly issuedAt: At
  readonly role: 'active' | 'failover' | 'probe' | 'parked' | 'degraded'
  readonly model: ModelFamily | null
  /** The upstream host (`host:port`) this lease goes to. */
  readonly host: string
  readonly baseUrl: string
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

/** The decision that everybody who could serve has as many requests under way as it may. */
export interface Full {
  readonly kind: 'full'
}

/** The decision that who alone has what the request names cannot serve it, while others could serve another request. */
export interface OwnerAway {
  readonly kind: 'owner-away'
  /** Whether the client sends everything anew when it is told that the state is not there. */
  readonly isResent: boolean
  /** When the owner recovers; without a time when it is not known, or only a person can help. */
  readonly owner: Exhausted
}

/** State that a request names and that one quota domain alone has. */
export interface NamedState {
  /** Of the ids by which it may be known. */
  readonly digests: readonly string[]
  readonly isResent: boolean
}

export type Decision =
  | { readonly kind: 'lease'; readonly lease: Lease }
  | Exhausted
  /** Members are well but their upstream hosts are not reachable. */
  | { readonly kind: 'host-down'; readonly retryAt: At; readonly host: string }
  /** Everybody who could serve has been tried by this request: pass the last answer on. */
  | { readonly kind: 'tried-all' }
  | OwnerAway
  | Full
  /** The request moves because a member failed, and waits until it is let onto the next one (`pace`). */
  | { readonly kind: 'paced' }
  /** The pool has no members at all. */
  | { readonly kind: 'empty' }

/** What a request tells of itself beside its model. */
export interface RequestFacts {
  /** A digest of the conversation that it belongs to. */
  readonly conversation?: string | null
  /** The name of its client key. */
  readonly key?: string
  readonly state?: NamedState | null
  /** Whether it asks a model for something and can be sent again, so that it may test a member. */
  readonly mayTest?: boolean
}

/** What the data path asks of the engine; no call waits. */
export interface DataPath {
  find(pool: string): LivePool | undefined
  /** Refuses a request, and counts it, where the pool is known to be exhausted and would say the same to any; otherwise null: it has to `begin`. */
  turnAway(pool: LivePool): Exhausted | null
  /** True when the model of a request can matter, so that its body must be parsed for it. */
  wantsModel(pool: LivePool): boolean
  /** Whether requests of a conversation go to the member that has served it, so that they have to tell which they belong to. */
  keepsConversations(pool: LivePool): boolean
  /** Whether its members belong to several quota domains, so that requests have to tell which state they name. */
  hasSeveralOwners(pool: LivePool): boolean
  /** Whether files, batches or containers are known to have an owner. */
  knowsUploads(): boolean
  /** The member of the lease has made state whose id has that digest. */
  owns(lease: Lease, digest: string, isUpload: boolean): void
  /** One more request is under way, until its turn ends. */
  begin(pool: LivePool, model: ModelFamily | null, about?: RequestFacts): Turn
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
  /**
   * Resolves with whether the present lease may test its member, where another replica might be doing so; null when there
   * is nothing to ask. One that may not has to `yield` and ask for the next member.
   */
  right(): Promise<boolean> | null
  /** Another replica tests the member of the present lease: it is shut until that is settled. */
  yield(): void
  /** What a fresh request for the same model would be told now; gives nothing out. */
  outlook(): Decision
  /** Whether what the request needs is near enough to wait for: a recovery, or the end of another request. */
  mayHold(decision: Exhausted | Full): boolean
  /** Waits in the queue while the pool is exhausted and recovery is near, or is full; then the same answers as `next`. `signal` ends the wait. */
  hold(signal: AbortSignal): Promise<Decision>
  /** Milliseconds this request has waited to be let onto another member. */
  readonly pacedMs: number
  /** Waits until the request is let onto another member, at most 2 s in all; then the same answers as `next`. */
  pace(signal: AbortSignal): Promise<Decision>
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
  /** What an answer says of the member's limits, which is read at most once a second for each credential; with `preemptAt`, a sticky pool leaves a member near its limit. */
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
