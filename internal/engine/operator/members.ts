import {
  type Actor,
  type At,
  disabled,
  type Gate,
  isClosed,
  needsLogin,
  type Park,
  pristine,
  type Reason,
  Refusal,
  recovered,
  remedyFor,
  unreadable,
} from '../../pool/pool.ts'
import type { CredentialRecord, Write } from '../../store/store.ts'
import type { Exhaustions } from '../requests/exhaustion.ts'
import type { Leasing } from '../requests/leasing.ts'
import type { WaitQueue } from '../requests/wait-queue.ts'
import type { Core } from '../state/context.ts'
import type { LiveCredential, LiveSeat, Pool } from '../state/live.ts'
import { credentialRow, gateRow, poolStateRow, seatRow } from '../state/registry.ts'
import { rotationTarget } from './rotation.ts'

/** What operators do to members and credentials. */
export class MemberCommands {
  readonly #core: Core
  readonly #leasing: Leasing
  readonly #queue: WaitQueue
  readonly #exhaustions: Exhaustions

  constructor(core: Core, parts: { leasing: Leasing; queue: WaitQueue; exhaustions: Exhaustions }) {
    this.#core = core
    this.#leasing = parts.leasing
    this.#queue = parts.queue
    this.#exhaustions = parts.exhaustions
  }

  async rotate(
    name: string,
    options: { to: string | null; forMs: number | null },
    actor: Actor,
  ): Promise<{ from: string; to: string; until: At }> {
    const pool = this.pool(name)
    const now = this.#core.clock.now()
    const from = this.#leasing.preview(pool, null).seat
    const to = rotationTarget(pool, from, options.to === null ? null : this.seat(pool, options.to), now)
    const until = now + (options.forMs ?? this.#core.settings.cooldown.parkMs)
    to.seat.park = null
    to.from.park = { until, by: actor, since: now }
    for (const seat of [to.seat, to.from]) pool.selectionIndex.file(seat, now)
    pool.active = to.seat
    pool.isPointed = true
    pool.standIn = null
    const about = { pool: name, from: to.from.member, to: to.seat.member, actor }
    const rows = [seatRow(to.from), seatRow(to.seat), poolStateRow(pool)]
    this.#core.signals.record(rows, { kind: 'pool_rotated', ...about, detail: { until } })
    await this.durable()
    return { from: to.from.member, to: to.seat.member, until }
  }

  async park(name: string, member: string, forMs: number | null, actor: Actor): Promise<Park> {
    const pool = this.pool(name)
    const seat = this.seat(pool, member)
    const now = this.#core.clock.now()
    const park: Park = { until: forMs === null ? null : now + forMs, by: actor, since: now }
    seat.park = park
    pool.selectionIndex.file(seat, now)
    const detail = { until: park.until }
    this.#core.signals.record([seatRow(seat)], { kind: 'member_parked', pool: name, from: member, actor, detail })
    await this.durable()
    return park
  }

  async unpark(name: string, member: string, actor: Actor): Promise<boolean> {
    const pool = this.pool(name)
    const seat = this.seat(pool, member)
    const now = this.#core.clock.now()
    const { park } = seat
    if (!park || (park.until !== null && park.until <= now)) return false
    seat.park = null
    pool.selectionIndex.file(seat, now)
    this.#core.signals.record([seatRow(seat)], { kind: 'member_unparked', pool: name, from: member, actor, detail: {} })
    this.#usable([pool])
    await this.durable()
    return true
  }

  async clear(name: string, member: string, actor: Actor): Promise<boolean> {
    const pool = this.pool(name)
    const seat = this.seat(pool, member)
    const { health } = seat.owner.gate
    if (isClosed(health)) {
      throw new Refusal('conflict', `${member} is ${health.state}, not cooling`, remedyFor(member, health))
    }
    const gates = [seat.owner.gate, seat.domain, seat.host, ...seat.owner.models.values()]
    const shut = gates.filter((gate): gate is Gate => gate !== null && gate.health.state !== 'healthy')
    if (shut.length === 0) return false
    for (const gate of shut) {
      this.#open(gate)
      if (gate.kind === 'model') this.#core.registry.forgetModel(seat.owner, gate.name)
    }
    const rows = shut.map((gate) => gateRow(gate, seat.owner))
    this.#core.signals.record(rows, { kind: 'member_cleared', pool: name, from: member, actor, detail: {} })
    this.#usable(poolsOf(seat.owner))
    await this.durable()
    return true
  }

  async addCredential(record: CredentialRecord, alsoWrite: readonly Write[], actor: Actor): Promise<void> {
    if (this.#core.registry.credentials.has(record.name)) {
      throw new Refusal('conflict', `there is a credential named ${record.name} already`, {
        verb: 'replace',
        name: record.name,
      })
    }
    const credential = this.#core.registry.addCredential(record, pristine, 1)
    const rows: Write[] = [{ put: 'credential', row: record }, credentialRow(credential), ...alsoWrite]
    const detail = { provider: record.provider }
    this.#core.signals.record(rows, { kind: 'cred_added', from: record.name, actor, detail })
    await this.durable()
  }

  async removeCredential(name: string, options: { force: boolean }, actor: Actor): Promise<void> {
    const credential = this.credential(name)
    const pools = poolsOf(credential)
    if (pools.length > 0 && !options.force) {
      const where = pools.map((pool) => pool.name).join(', ')
      throw new Refusal('conflict', `${name} is a member of ${where}`, 'drop it there first, or use --force')
    }
    const now = this.#core.clock.now()
    for (const seat of [...credential.seats]) {
      this.#core.registry.dropSeat(seat)
      seat.pool.seatAll(
        seat.pool.seats.filter((other) => other !== seat),
        now,
      )
    }
    this.#core.registry.forgetCredential(credential)
    // A new generation: what is still in flight with this secret is nobody's blame.
    credential.generation++
    const rows: Write[] = [{ drop: 'credential', id: credential.record.id }, ...pools.map(poolStateRow)]
    this.#core.signals.record(rows, { kind: 'cred_removed', from: name, actor, detail: {} })
    await this.durable()
  }

  async setEnabled(name: string, enabled: boolean, actor: Actor): Promise<boolean> {
    const credential = this.credential(name)
    const { health } = credential.gate
    if (enabled ? !isClosed(health) : health.state === 'disabled') return false
    const now = this.#core.clock.now()
    credential.gate.health = enabled ? recovered(now) : disabled('operator', 'operator', now)
    this.#core.registry.refile(credential.gate, now)
    const about = { from: name, pool: poolsOf(credential)[0]?.name ?? null, actor, reason: 'operator' as const }
    const row = credentialRow(credential)
    if (enabled) this.#core.signals.record([row], { kind: 'cred_revived', ...about, detail: { how: 'operator' } })
    else this.#core.signals.record([row], { kind: 'cred_disabled', ...about, detail: { by: 'operator' } })
    this.#usable(poolsOf(credential))
    await this.durable()
    return true
  }

  async renewCredential(
    name: string,
    how: 'login' | 'operator' | 'refresh',
    alsoWrite: (generation: number) => readonly Write[],
    actor: Actor,
  ): Promise<void> {
    const credential = this.credential(name)
    const before = credential.gate.health
    credential.generation++
    const wasOut = isClosed(before) || before.state === 'suspect'
    if (wasOut || how !== 'refresh') this.#open(credential.gate)
    const writes = alsoWrite(credential.generation)
    for (const write of writes) if ('put' in write && write.put === 'credential') credential.record = write.row
    const rows = [credentialRow(credential), ...writes]
    const pool = poolsOf(credential)[0]?.name ?? null
    if (wasOut || how !== 'refresh') {
      const detail = { how: how === 'operator' ? how : before.state === 'unreadable' ? 'read' : 'login' } as const
      this.#core.signals.record(rows, { kind: 'cred_revived', from: name, pool, actor, detail })
      this.#usable(poolsOf(credential))
    } else {
      const detail = { source: credential.record.source.kind }
      this.#core.signals.record(rows, { kind: 'cred_replaced', from: name, pool, actor, detail })
    }
    await this.durable()
  }

  async needsLogin(name: string, generation: number, reason: Reason): Promise<void> {
    const credential = this.credential(name)
    const before = credential.gate.health
    // What an operator has closed stays closed, and a login that has lapsed is mended by a new one, which writes its file.
    const isMoot = before.state === 'needs-login' || (reason === 'unreadable' && isClosed(before))
    if (credential.generation !== generation || isMoot) return
    const now = this.#core.clock.now()
    const health = reason === 'unreadable' ? unreadable(now) : needsLogin(reason, now)
    credential.gate.health = health
    this.#core.registry.refile(credential.gate, now)
    const about = { from: name, pool: poolsOf(credential)[0]?.name ?? null, reason }
    const detail = { remedy: remedyFor(name, health) }
    const kind = health.state === 'unreadable' ? 'cred_unreadable' : 'cred_needs_login'
    this.#core.signals.record([credentialRow(credential)], { kind, ...about, detail })
    await this.durable()
  }

  pool(name: string): Pool {
    const pool = this.#core.registry.pools.get(name)
    if (!pool) throw new Refusal('not-found', `no pool named ${name}`)
    return pool
  }

  credential(name: string): LiveCredential {
    const credential = this.#core.registry.credentials.get(name)
    if (!credential) throw new Refusal('not-found', `no credential named ${name}`)
    return credential
  }

  async durable(): Promise<void> {
    try {
      await this.#core.journal.durable()
    } catch (error) {
      throw new Refusal('failed', error instanceof Error ? error.message : 'the store did not write the change')
    }
  }

  /** Somebody may have become usable: waiters may go and an exhaustion may be over. */
  #usable(pools: readonly Pool[]): void {
    for (const pool of pools) {
      const { seat } = this.#leasing.preview(pool, null)
      if (seat) this.#exhaustions.endedBy(pool, seat, 'operator')
      this.#queue.disturbed(pool)
    }
  }

  #open(gate: Gate): void {
    const now = this.#core.clock.now()
    gate.health = recovered(now)
    this.#core.registry.refile(gate, now)
  }

  seat(pool: Pool, member: string): LiveSeat {
    const seat = pool.seat(member)
    if (!seat) throw new Refusal('not-found', `no member named ${member} in pool ${pool.name}`)
    return seat
  }
}

function poolsOf(credential: LiveCredential): Pool[] {
  return [...new Set([...credential.seats].map((seat) => seat.pool))]
}
