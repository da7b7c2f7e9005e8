import { type Actor, Refusal, type Tuning, tuningOf, untuned } from '../../pool/pool.ts'
import type { PoolRecord, Write } from '../../store/store.ts'
import type { NewMember } from '../api/commands.ts'
import type { WaitQueue } from '../requests/wait-queue.ts'
import type { Core } from '../state/context.ts'
import { type LiveSeat, Pool } from '../state/live.ts'
import { poolStateRow, seatRow } from '../state/registry.ts'
import type { MemberCommands } from './members.ts'

/** What operators do to pools and to their members. */
export class PoolCommands {
  readonly #core: Core
  readonly #members: MemberCommands
  readonly #queue: WaitQueue

  constructor(core: Core, members: MemberCommands, queue: WaitQueue) {
    this.#core = core
    this.#members = members
    this.#queue = queue
  }

  async createPool(record: PoolRecord, members: readonly NewMember[], actor: Actor): Promise<void> {
    const { registry, clock } = this.#core
    if (registry.pools.has(record.name)) {
      const advice = { verb: 'add-member', pool: record.name } as const
      throw new Refusal('conflict', `there is a pool named ${record.name} already`, advice)
    }
    const owners = members.map(({ member }) => this.#members.credential(member))
    if (new Set(owners).size < owners.length) throw new Refusal('invalid', 'a member is named twice')
    const pool = new Pool(record, clock.now())
    for (const owner of owners) registry.baseUrl(pool, owner.record)
    const seats = members.map((member, at) =>
      registry.newSeat(pool, owners[at]!, { ...untuned, ...member, position: at + 1 }),
    )
    pool.seatAll(seats, clock.now())
    registry.pools.set(record.name, pool)
    const rows: Write[] = [{ put: 'pool', row: record }, ...seats.map(seatRow)]
    await this.#changed(pool, rows, {
      what: `created with ${inShort(members)}`,
      actor,
    })
  }

  async changePool(
    name: string,
    change: Partial<Omit<PoolRecord, 'name' | 'provider' | 'createdAt'>>,
    actor: Actor,
  ): Promise<void> {
    const pool = this.#members.pool(name)
    pool.record = { ...pool.record, ...change }
    if ('upstream' in change) this.#reseat(pool)
    else pool.seatAll(pool.seats, this.#core.clock.now())
    const what = Object.entries(change).map(([key, value]) => `${key}=${value}`)
    await this.#changed(pool, [{ put: 'pool', row: pool.record }, ...pool.seats.map(seatRow)], {
      what: what.join(' '),
      actor,
    })
  }

  async deletePool(name: string, actor: Actor): Promise<void> {
    const pool = this.#members.pool(name)
    for (const seat of pool.seats) this.#core.registry.dropSeat(seat)
    pool.seatAll([], this.#core.clock.now())
    this.#queue.dismiss(pool)
    this.#core.registry.pools.delete(name)
    await this.#changed(pool, [{ drop: 'pool', name }], { what: 'deleted', actor })
  }

  async addMember(
    name: string,
    member: string,
    options: { position: number | null } & Partial<Tuning>,
    actor: Actor,
  ): Promise<void> {
    const pool = this.#members.pool(name)
    const owner = this.#members.credential(member)
    if (pool.seat(member)) throw new Refusal('conflict', `${member} is a member of ${name} already`)
    const { position } = options
    const seat = this.#core.registry.newSeat(pool, owner, { ...untuned, ...options, position: 0 })
    const seats = [...pool.seats]
    seats.splice(position === null ? seats.length : position - 1, 0, seat)
    await this.#seatAndTell(pool, seats, [], { what: `${member} added`, actor })
  }

  async tune(name: string, member: string, change: Partial<Tuning>, actor: Actor): Promise<void> {
    const pool = this.#members.pool(name)
    const seat = this.#members.seat(pool, member)
    Object.assign(seat, tuningOf({ ...seat, ...change }))
    pool.seatAll(pool.seats, this.#core.clock.now())
    const what = Object.entries(change).map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    await this.#changed(pool, [seatRow(seat)], { what: `${member} ${what.join(' ')}`, actor })
  }

  async dropMember(name: string, member: string, actor: Actor): Promise<void> {
    const pool = this.#members.pool(name)
    const seat = this.#members.seat(pool, member)
    this.#core.registry.dropSeat(seat)
    const row: Write = { drop: 'seat', pool: name, credentialId: seat.owner.record.id }
    const seats = pool.seats.filter((other) => other !== seat)
    await this.#seatAndTell(pool, seats, [row], { what: `${member} dropped`, actor })
  }

  async reorder(name: string, members: readonly string[], actor: Actor): Promise<void> {
    const pool = this.#members.pool(name)
    const seats = members.map((member) => pool.seat(member))
    const complete = seats.filter((seat): seat is LiveSeat => seat !== undefined)
    if (complete.length !== members.length || new Set(complete).size !== pool.seats.length) {
      const all = pool.seats.map((seat) => seat.member).join(',')
      throw new Refusal('invalid', `name every member of ${name} once`, `its members are ${all}`)
    }
    await this.#seatAndTell(pool, complete, [], { what: `order ${members.join(', ')}`, actor })
  }

  async #seatAndTell(
    pool: Pool,
    seats: readonly LiveSeat[],
    rows: readonly Write[],
    how: { what: string; actor: Actor },
  ): Promise<void> {
    const moved = seats.filter((seat, at) => seat.position !== at + 1)
    for (const [at, seat] of seats.entries()) seat.position = at + 1
    pool.seatAll(seats, this.#core.clock.now())
    await this.#changed(pool, [...rows, ...moved.map(seatRow), poolStateRow(pool)], how)
  }

  /** A new upstream: other seats, before another host, with the parks of the old. */
  #reseat(pool: Pool): void {
    const { registry, clock } = this.#core
    const before = pool.seats
    const active = pool.active?.owner
    for (const seat of before) registry.dropSeat(seat)
    const seats = before.map((old) => {
      const seat = registry.newSeat(pool, old.owner, { ...tuningOf(old), position: old.position })
      seat.park = old.park
      return seat
    })
    pool.seatAll(seats, clock.now())
    pool.active = seats.find((seat) => seat.owner === active) ?? null
  }

  async #changed(pool: Pool, rows: readonly Write[], how: { what: string; actor: Actor }): Promise<void> {
    const { what, actor } = how
    this.#core.signals.record(rows, { kind: 'pool_changed', pool: pool.name, actor, detail: { what } })
    this.#queue.disturbed(pool)
    await this.#members.durable()
  }
}

/** How many members a sentence names. */
const maxNamed = 20

function inShort(members: readonly NewMember[]): string {
  const names = members.slice(0, maxNamed).map(({ member }) => member)
  if (members.length > maxNamed) names.push(`${members.length - maxNamed} more`)
  return names.join(', ') || 'no members'
}
