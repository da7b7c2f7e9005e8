import { type At, availability, tuningOf } from '../../pool/pool.ts'
import type { PoolState, SeatRecord, Write } from '../../store/store.ts'
import type { Core } from '../state/context.ts'
import { type LiveCredential, type LiveSeat, Pool } from '../state/live.ts'
import type { AdoptingDeps } from './deps.ts'

/** Takes pools, seats, active members and exhaustions of other replicas into the live state. */
export class AdoptingPools {
  readonly #core: Core
  readonly #deps: AdoptingDeps

  constructor(core: Core, deps: AdoptingDeps) {
    this.#core = core
    this.#deps = deps
  }

  adopt(writes: readonly Write[]): void {
    const seats = new Map<string, Write[]>()
    for (const write of writes) {
      if ('put' in write && write.put === 'pool') this.#pool(write)
      else if ('drop' in write && write.drop === 'pool') this.#drop(write.name)
      const pool = poolOfSeat(write)
      if (pool !== null) seats.set(pool, [...(seats.get(pool) ?? []), write])
    }
    for (const [name, changed] of seats) this.#seats(name, changed)
    for (const write of writes) if ('put' in write && write.put === 'pool-state') this.#state(write.row, write)
  }

  /** Takes the seats of the credential out of the pool. */
  empty(pool: Pool, owner: LiveCredential, now: At): void {
    for (const seat of pool.seats) if (seat.owner === owner) this.#core.registry.dropSeat(seat)
    pool.seatAll(
      pool.seats.filter((seat) => seat.owner !== owner),
      now,
    )
  }

  /** Builds every seat of the pool anew, because a host or a quota domain is another one. */
  seatAnew(pool: Pool): void {
    const { registry, clock } = this.#core
    const active = pool.active?.owner
    const seats = pool.seats.map((old) => {
      registry.dropSeat(old)
      const { position, epoch } = old
      const seat = registry.newSeat(pool, old.owner, { ...tuningOf(old), position, epoch })
      seat.park = old.park
      return seat
    })
    pool.seatAll(seats, clock.now())
    pool.active = seats.find(({ owner }) => owner === active) ?? null
  }

  #pool(write: Extract<Write, { put: 'pool' }>): void {
    const { registry, clock } = this.#core
    const { row } = write
    const pool = registry.pools.get(row.name)
    // Ours is written on top of theirs.
    if (pool && this.#deps.isPending(write)) return
    if (!pool) {
      registry.pools.set(row.name, new Pool(row, clock.now()))
      return
    }
    const { upstream } = pool.record
    pool.record = row
    if (upstream !== row.upstream) this.seatAnew(pool)
    else pool.seatAll(pool.seats, clock.now())
    this.#deps.queue.disturbed(pool)
  }

  #drop(name: string): void {
    const { registry, clock } = this.#core
    const pool = registry.pools.get(name)
    if (!pool) return
    for (const seat of pool.seats) registry.dropSeat(seat)
    pool.seatAll([], clock.now())
    this.#deps.queue.dismiss(pool)
    registry.pools.delete(name)
  }

  #seats(name: string, writes: readonly Write[]): void {
    const { registry, clock } = this.#core
    const pool = registry.pools.get(name)
    if (!pool) return
    const seats = new Map(pool.seats.map((seat) => [seat.owner.record.id, seat]))
    for (const write of writes) {
      if (this.#deps.isPending(write)) continue
      if ('drop' in write && write.drop === 'seat') {
        const gone = seats.get(write.credentialId)
        if (gone) registry.dropSeat(gone)
        seats.delete(write.credentialId)
      } else if ('put' in write && write.put === 'seat') {
        const seat = this.#seat(pool, seats.get(write.row.credentialId), write.row)
        if (seat) seats.set(write.row.credentialId, seat)
      }
    }
    const inOrder = [...seats.values()].sort((one, other) => one.position - other.position)
    pool.seatAll(inOrder, clock.now())
    this.#deps.queue.disturbed(pool)
  }

  #seat(pool: Pool, known: LiveSeat | undefined, row: SeatRecord): LiveSeat | null {
    const owner = this.#core.registry.byId.get(row.credentialId)
    if (!owner) return null
    const seat = known ?? this.#core.registry.newSeat(pool, owner, row)
    seat.position = row.position
    Object.assign(seat, tuningOf(row))
    seat.park = row.park
    return seat
  }

  #state({ name, active, exhausted }: PoolState, write: Write): void {
    const pool = this.#core.registry.pools.get(name)
    if (!pool) return
    const isPending = this.#deps.isPending(write)
    const theirs = pool.seats.find(({ owner }) => owner.record.id === active) ?? null
    if (!isPending || (!pool.isPointed && theirs && availability(theirs, this.#core.clock.now()) === 'ready')) {
      if (pool.active !== theirs) pool.standIn = null
      pool.active = theirs
      pool.isPointed = false
    }
    if (exhausted && pool.exhausted) {
      pool.exhausted.since = Math.min(pool.exhausted.since, exhausted.since)
      pool.exhausted.told ||= exhausted.told
    } else if (isPending) return
    else if (exhausted) this.#deps.exhaustions.heard(pool, { model: null, refused: 0, ...exhausted })
    else if (pool.exhausted) {
      this.#deps.exhaustions.overElsewhere(pool)
      this.#deps.queue.disturbed(pool)
    }
  }
}

function poolOfSeat(write: Write): string | null {
  if ('drop' in write) return write.drop === 'seat' ? write.pool : null
  return write.put === 'seat' ? write.row.pool : null
}
