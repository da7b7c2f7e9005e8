import {
  type At,
  type Gate,
  type Meter,
  type ModelFamily,
  type Park,
  type Seat,
  SelectionIndex,
  Storm,
  type StrategyName,
} from '../../pool/pool.ts'
import type { CredentialRecord, PoolRecord } from '../../store/store.ts'
import type { Decision, Lease, LivePool } from '../api/data-path.ts'
import type { Finding } from '../api/probes.ts'
import type { Tally } from '../foresight/tally.ts'

/** A credential with its health and everything else that the engine knows of it. */
export interface LiveCredential {
  record: CredentialRecord
  /** Grows when the secret changes, so that late blame for an old secret is recognised. */
  generation: number
  readonly gate: Gate
  readonly models: Map<ModelFamily, Gate>
  readonly seats: Set<LiveSeat>
  /** Recent upstream errors, for the outlier rule. */
  failedAt: readonly At[]
  /** When the next request may move to it because another member failed. */
  rampFreeAt: At
  /** How many requests that moved to it are under way. */
  moved: number
  /** The HTTP status of the latest failure that changed something. */
  lastStatus: number | null
  /** What the upstream last said of its limits. */
  readonly meter: Meter
  /** When answers were last read for it. */
  meteredAt: At
  /** Who has asked it, and how much of its limits that used. */
  readonly tally: Tally
  /** When its usage endpoint was last asked; 0: never. */
  lookedAt: At
  /** When the canonical probe last started. */
  probedAt: At | null
  /** When the canonical probe last cleared it. */
  clearedAt: At | null
  /** Whether its token is from the refresh that last cleared it and has not served since: refused again, it is the account. */
  isFresh: boolean
  /** The probe that decides about a suspicion, while it is under way. */
  finding: Promise<Finding> | null
}

export interface LiveSeat extends Seat {
  readonly pool: Pool
  readonly owner: LiveCredential
  readonly baseUrl: string
  position: number
  requests: number
  failures: number
  lastUsedAt: At | null
}

/** A request that waits in the queue for a member to recover. */
export interface Waiter {
  readonly turn: LiveTurn
  readonly since: At
  readonly deadline: At
  readonly resolve: (decision: Decision) => void
}

/** A request that moves because a member failed, and waits until it is let onto the next one, at most until `until`. */
export interface Paced {
  readonly turn: LiveTurn
  readonly since: At
  readonly until: At
  readonly next: () => Decision
  readonly resolve: (decision: Decision) => void
}

/** A pool with its live facts. */
export class Pool implements LivePool {
  record: PoolRecord
  selectionIndex: SelectionIndex
  inFlight = 0
  /** The sticky pointer: who served last. */
  active: LiveSeat | null = null
  /** Whether an operator has pointed it there, and no request has moved it since. */
  isPointed = false
  /** Who serves while it is not decided whether the active member's key is really rejected. */
  standIn: LiveSeat | null = null
  exhausted: { since: At; told: boolean; refused: number; model: ModelFamily | null } | null = null
  /** A member of a later tier serves: of which, since when, until now, how often, and whether it only helps out. */
  backup: { tier: number; since: At; lastAt: At; served: number; helpsOut: boolean } | null = null
  /** The tier that serves as long as one of it can. */
  firstTier = 1
  /** Nobody has served since the pool was exhausted: whoever does so next has recovered, and takes over from nobody. */
  unserved = false
  /** When the latest exhaustion was ended by a probe, or by its time alone; null once a request has shown whether rightly. */
  unprovenSince: At | null = null
  /** How often in a row requests have refuted such an end, and until when there is no other. */
  doubt: { readonly refuted: number; readonly until: At } = { refuted: 0, until: 0 }
  /** Who serves the model families that the active member is limited for. */
  readonly servesFor = new Map<ModelFamily, LiveSeat>()
  readonly storm = new Storm()
  readonly waiters = new Set<Waiter>()
  /** Requests that wait for their turn in the ramp, and whether their shared timer is armed. */
  readonly paced = new Set<Paced>()
  isPacing = false
  /** How many model limits its members have; above 0, bodies are parsed for the model. */
  modelLimits = 0
  /** How many waiters the next success releases. */
  batch = 1
  /** Whether the waiters' shared timer is armed. */
  waking = false

  constructor(record: PoolRecord, now: At) {
    this.record = record
    this.selectionIndex = new SelectionIndex(record.strategy as StrategyName, [], now)
  }

  get name(): string {
    return this.record.name
  }

  get baseUrl(): string | null {
    return (this.active ?? this.seats[0])?.baseUrl ?? null
  }

  get seats(): readonly LiveSeat[] {
    return this.selectionIndex.seats as readonly LiveSeat[]
  }

  /** Whether the seat is still one of this pool's: one that was filled anew since has another epoch. */
  holds(seat: LiveSeat): boolean {
    return this.seats[seat.index]?.epoch === seat.epoch
  }

  seat(member: string): LiveSeat | undefined {
    return this.seats.find((seat) => seat.member === member)
  }

  /** Whether its members belong to several quota domains, so that state which one of them has is not known to all. */
  hasSeveralOwners = false

  /** Builds the index anew after members, their order or the strategy changed. */
  seatAll(seats: readonly LiveSeat[], now: At): void {
    this.selectionIndex = new SelectionIndex(this.record.strategy as StrategyName, seats, now)
    this.hasSeveralOwners = seats.some((seat) => ownerGate(seat) !== ownerGate(seats[0]!))
    this.firstTier = seats.reduce((first, { tier }) => Math.min(first, tier), Number.POSITIVE_INFINITY)
    if (this.active && !seats.includes(this.active)) this.active = null
    if (this.standIn && !seats.includes(this.standIn)) this.standIn = null
    for (const [model, seat] of this.servesFor) if (!seats.includes(seat)) this.servesFor.delete(model)
  }
}

/** Who alone has the state that a request names: its gate is null when that is not known. */
export interface Owner {
  readonly gate: Gate | null
  /** Whether the client sends everything anew when it is told that the state is not there. */
  readonly isResent: boolean
}

/** What the engine knows of one request; `blamed` is set once weak evidence of this request has touched a member. */
export class LiveTurn {
  readonly pool: Pool
  model: ModelFamily | null
  /** The name of the client key. */
  readonly key: string
  readonly startedAt: At
  readonly leases: LiveLease[] = []
  tried: LiveSeat[] = []
  /** A digest of the conversation that it belongs to; null when that does not matter. */
  conversation: string | null = null
  /** Who alone has what it names; null when it names nothing of the kind. */
  owner: Owner | null = null
  heldMs = 0
  /** How long it has waited for the ramp, but for the wait that is under way. */
  pacedMs = 0
  paced: Paced | null = null
  blamed = false
  /** Whether it may test a member although others can serve: it could be sent to these as well. */
  mayTest = false
  /** The latest member of this turn that could no longer serve. */
  failed: LiveSeat | null = null
  /** Set once a hold has given the members a second chance. */
  secondRound = false

  constructor(pool: Pool, about: { model: ModelFamily | null; key: string }, startedAt: At) {
    this.pool = pool
    this.model = about.model
    this.key = about.key
    this.startedAt = startedAt
  }
}

export class LiveLease implements Lease {
  readonly id: number
  readonly seat: LiveSeat
  readonly credential: CredentialRecord
  readonly generation: number
  readonly issuedAt: At
  readonly role: Lease['role']
  readonly model: ModelFamily | null
  reported = false
  /** Whether its request came from another member. */
  isMoved = false
  /** Whether it tests its member ahead of its end: nobody has left it when that fails. */
  isEarly = false
  /** Whether the member answers: as far as has been seen of it. */
  isAnswered = false

  constructor(id: number, seat: LiveSeat, terms: Pick<Lease, 'role' | 'model' | 'issuedAt'>) {
    this.id = id
    this.seat = seat
    this.credential = seat.owner.record
    this.generation = seat.owner.generation
    this.role = terms.role
    this.model = terms.model
    this.issuedAt = terms.issuedAt
  }

  get pool(): string {
    return this.seat.pool.name
  }

  get member(): string {
    return this.seat.member
  }

  get host(): string {
    return this.seat.host.name
  }

  get baseUrl(): string {
    return this.seat.baseUrl
  }
}

/** What owns the state that is made with the seat: its quota domain, or the credential alone. */
export function ownerGate({ domain, credential }: LiveSeat): Gate {
  return domain ?? credential
}

/** The park if it still holds at `now`; null when it is over, or there is none. */
export function currentPark(park: Park | null, now: At): Park | null {
  return park && (park.until === null || park.until > now) ? park : null
}
