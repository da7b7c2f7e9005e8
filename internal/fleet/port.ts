import type { Lease } from '../store/store.ts'

/** The right to do something once in the fleet, as long as its holder lives. */
export interface Hold {
  /** What a commit can be bound to. */
  readonly lease: Lease
  /** Whether it still is ours, by a clock that goes on while the process stands still. Ask right before acting. */
  isOurs(): boolean
  /** Lets another replica have it at once. */
  release(): Promise<void>
}

/** A replica as the others see it. */
export interface ReplicaStatus {
  readonly name: string
  readonly version: string
  readonly startedAt: number
  readonly seenAt: number
  readonly draining: boolean
}

/** What begins when this replica leads the fleet, and ends when another one does. */
export interface Duty {
  begin(): Promise<void> | void
  end(): Promise<void> | void
  /** Others have changed something, while this replica leads. */
  heard(): void
}

/** What a replica asks of the fleet. */
export interface Fleet {
  /** Whether this replica leads now: it tells, keeps the audit log short and acts for the guard. */
  leads(): boolean
  /** Whether it may say that the store is away: it led when that began, and nobody can say who leads now. */
  ledBefore(): boolean
  /**
   * The lease under which it leads, or did as far as it knows: what is committed under it fails once it is not current.
   * null where nobody else could lead, or somebody else does.
   */
  lease(): Lease | null
  /** The right to do something once in the fleet; null while another replica has it. Rejects when the store is away. */
  hold(name: string): Promise<Hold | null>
  /**
   * Runs it while no other replica runs anything of that name, after all that others have changed was taken in. Rejects
   * with NoTurn when the turn does not come, and when the store is away.
   */
  inTurn<T>(name: string, run: () => Promise<T>): Promise<T>
  /** All replicas that live; empty where there can be only one. */
  replicas(): Promise<readonly ReplicaStatus[]>
  /** Begins its share: `duty` begins when it leads, at once where it is alone. */
  start(duty: Duty): Promise<void>
  /** Says that it admits nothing new. */
  drain(): Promise<void>
  /** Ends the duty, and leaves what it holds to others. */
  stop(): Promise<void>
}
