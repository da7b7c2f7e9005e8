import type { Clock } from '../../clock/clock.ts'
import { type Spoken, spokenTo } from '../../dialect/dialect.ts'
import {
  type At,
  type Gate,
  type Health,
  type ModelFamily,
  openGate,
  pristine,
  Refusal,
  type Seat,
  type Tuning,
  tuningOf,
} from '../../pool/pool.ts'
import type { CredentialRecord, HostState, SeatRecord, Snapshot, Write } from '../../store/store.ts'
import { Tally } from '../foresight/tally.ts'
import { type LiveCredential, type LiveSeat, Pool } from './live.ts'

/** All live credentials, pools, quota domains and hosts, built from the store's snapshot and kept by the engine. */
export class Registry {
  readonly credentials = new Map<string, LiveCredential>()
  readonly byId = new Map<string, LiveCredential>()
  readonly pools = new Map<string, Pool>()
  readonly domains = new Map<string, Gate>()
  readonly hosts = new Map<string, Gate>()
  readonly #clock: Clock
  readonly #defaultBaseUrl: (of: Spoken) => string | null
  #epoch = 0

  constructor(clock: Clock, defaultBaseUrl: (of: Spoken) => string | null) {
    this.#clock = clock
    this.#defaultBaseUrl = defaultBaseUrl
  }

  load(snapshot: Snapshot): void {
    for (const { name, health } of snapshot.domains) this.domains.set(name, openGate('domain', name, health))
    for (const host of snapshot.hosts) this.hosts.set(host.host, openGate('host', host.host, healthOfHost(host)))
    const states = new Map(snapshot.states.map((state) => [state.id, state]))
    for (const record of [...snapshot.credentials].sort((a, b) => a.createdAt - b.createdAt)) {
      const state = states.get(record.id)
      const credential = this.addCredential(record, state?.health ?? pristine, state?.generation ?? 1)
      for (const [model, health] of state?.scoped ?? []) credential.models.set(model, openGate('model', model, health))
    }
    const now = this.#clock.now()
    for (const record of [...snapshot.pools].sort((a, b) => a.createdAt - b.createdAt))
      this.pools.set(record.name, new Pool(record, now))
    const seats = new Map<string, SeatRecord[]>(snapshot.pools.map((pool) => [pool.name, []]))
    for (const seat of snapshot.seats) seats.get(seat.pool)?.push(seat)
    for (const [pool, records] of seats) this.#loadSeats(pool, records)
    for (const state of snapshot.poolStates) {
      const pool = this.pools.get(state.name)
      if (!pool) continue
      pool.active = pool.seats.find((seat) => seat.owner.record.id === state.active) ?? null
      if (state.exhausted) pool.exhausted = { model: null, refused: 0, ...state.exhausted }
      if (state.backup) pool.backup = { ...state.backup }
      pool.unserved = pool.exhausted !== null
    }
  }

  addCredential(record: CredentialRecord, health: Health, generation: number): LiveCredential {
    const credential: LiveCredential = {
      record,
      generation,
      gate: openGate('credential', record.name, health),
      models: new Map(),
      seats: new Set(),
      failedAt: [],
      rampFreeAt: 0,
      moved: 0,
      lastStatus: null,
      meter: { windows: [] },
      meteredAt: 0,
      tally: new Tally(),
      lookedAt: 0,
      probedAt: null,
      clearedAt: null,
      isFresh: false,
      finding: null,
    }
    this.credentials.set(record.name, credential)
    this.byId.set(record.id, credential)
    return credential
  }

  forgetCredential(credential: LiveCredential): void {
    this.credentials.delete(credential.record.name)
    this.byId.delete(credential.record.id)
  }

  /** A seat for the credential, behind its gates; the caller puts it into the selection index. */
  newSeat(pool: Pool, owner: LiveCredential, terms: Tuning & { position: number; epoch?: number }): LiveSeat {
    const baseUrl = this.baseUrl(pool, owner.record)
    const host = this.host(new URL(baseUrl).host)
    const domain = owner.record.domain === null ? null : this.domain(owner.record.domain)
    const seat: LiveSeat = {
      member: owner.record.name,
      credential: owner.gate,
      domain,
      host,
      models: owner.models,
      meter: owner.meter,
      epoch: this.#newest(terms.epoch ?? this.#epoch + 1),
      ...tuningOf(terms),
      park: null,
      index: 0,
      inFlight: 0,
      lastUse: 0,
      pool,
      owner,
      baseUrl,
      position: terms.position,
      requests: 0,
      failures: 0,
      lastUsedAt: null,
    }
    owner.seats.add(seat)
    pool.modelLimits += owner.models.size
    for (const gate of [owner.gate, domain, host]) gate?.seats.add(seat)
    for (const gate of owner.models.values()) gate.seats.add(seat)
    return seat
  }

  /** The epoch; what is seated later has a higher one. */
  #newest(epoch: number): number {
    this.#epoch = Math.max(this.#epoch, epoch)
    return epoch
  }

  dropSeat(seat: LiveSeat): void {
    seat.owner.seats.delete(seat)
    seat.pool.modelLimits -= seat.owner.models.size
    for (const gate of [seat.owner.gate, seat.domain, seat.host, ...seat.owner.models.values()])
      gate?.seats.delete(seat)
  }

  modelGate(credential: LiveCredential, model: ModelFamily): Gate {
    return gateIn(credential.models, model, () => {
      const gate = openGate('model', model)
      for (const seat of credential.seats) {
        gate.seats.add(seat)
        seat.pool.modelLimits++
      }
      return gate
    })
  }

  /** Drops a model limit that is over. */
  forgetModel(credential: LiveCredential, model: ModelFamily): void {
    if (!credential.models.delete(model)) return
    for (const seat of credential.seats) seat.pool.modelLimits--
  }

  domain(name: string): Gate {
    return gateIn(this.domains, name, () => openGate('domain', name))
  }

  host(name: string): Gate {
    return gateIn(this.hosts, name, () => openGate('host', name))
  }

  /** Files every seat behind the gate anew. */
  refile(gate: Gate, now: At): void {
    for (const seat of gate.seats) poolOf(seat).selectionIndex.file(seat, now)
  }

  /** Where the credential's requests go in this pool; refuses when nobody names an upstream. */
  baseUrl(pool: Pool, credential: CredentialRecord): string {
    const [{ record }, { provider }] = [pool, credential]
    const ofPool = provider === record.provider ? record.upstream : null
    const url = credential.baseUrl ?? ofPool ?? this.#defaultBaseUrl(spokenTo(record, provider))
    if (url) return url
    const advice = { verb: 'set-upstream', pool: pool.name } as const
    throw new Refusal('invalid', `provider ${provider} has no upstream of its own`, advice)
  }

  #loadSeats(name: string, records: readonly SeatRecord[]): void {
    const pool = this.pools.get(name)
    if (!pool) return
    const seats: LiveSeat[] = []
    for (const record of [...records].sort((a, b) => a.position - b.position)) {
      const owner = this.byId.get(record.credentialId)
      if (!owner) continue
      const seat = this.newSeat(pool, owner, record)
      seat.park = record.park
      seats.push(seat)
    }
    pool.seatAll(seats, this.#clock.now())
  }
}

function poolOf(seat: Seat): Pool {
  return (seat as LiveSeat).pool
}

function gateIn(gates: Map<string, Gate>, name: string, make: () => Gate): Gate {
  let gate = gates.get(name)
  if (!gate) {
    gate = make()
    gates.set(name, gate)
  }
  return gate
}

/** What a restart keeps of a probe is the state before it: its lease does not survive the process. */
function atRest(health: Health): Health {
  return health.state === 'probing' ? health.was : health
}

/** The row that keeps a credential's health, generation and model limits. */
export function credentialRow(credential: LiveCredential): Write {
  const scoped = [...credential.models].flatMap(([model, gate]) => {
    const health = atRest(gate.health)
    return health.state === 'cooling' ? [[model, health] as const] : []
  })
  const { generation, gate } = credential
  return { put: 'credential-state', row: { id: credential.record.id, generation, health: atRest(gate.health), scoped } }
}

/** The row that keeps the gate: of its domain, its host, or (also for a model) its credential. */
export function gateRow(gate: Gate, credential: LiveCredential): Write {
  if (gate.kind === 'domain') return domainRow(gate)
  return gate.kind === 'host' ? hostRow(gate) : credentialRow(credential)
}

export function domainRow({ name, health }: Gate): Write {
  return { put: 'domain', row: { name, health: atRest(health) } }
}

/** The row of a host that is down; a host that can be reached has none. */
export function hostRow({ name, health: now }: Gate): Write {
  const health = atRest(now)
  if (health.state !== 'cooling') return { drop: 'host', host: name }
  const { since, until, strikes } = health
  return { put: 'host', row: { host: name, failures: strikes, since, nextAttemptAt: until } }
}

export function poolStateRow(pool: Pool): Write {
  const { since, told, model, refused } = pool.exhausted ?? { since: 0, told: false, model: null, refused: 0 }
  const exhausted = pool.exhausted && { since, told, refused, ...(model === null ? {} : { model }) }
  const row = { name: pool.name, active: pool.active?.owner.record.id ?? null, exhausted }
  return { put: 'pool-state', row: pool.backup ? { ...row, backup: pool.backup } : row }
}

export function seatRow(seat: LiveSeat): Write {
  const { epoch, position, park } = seat
  const row = { pool: seat.pool.name, credentialId: seat.owner.record.id, epoch, position, ...tuningOf(seat), park }
  return { put: 'seat', row }
}

function healthOfHost(host: HostState): Health {
  const { since, failures, nextAttemptAt } = host
  return { state: 'cooling', reason: 'connect', since, until: nextAttemptAt, probeAt: nextAttemptAt, strikes: failures }
}
