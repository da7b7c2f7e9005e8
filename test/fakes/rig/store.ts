import { createHash } from 'node:crypto'
import {
  type AuditEntry,
  type AuditQuery,
  type AuditRow,
  type Batch,
  type IncidentRecord,
  type OutboxRecord,
  type SampleQuery,
  type Snapshot,
  StaleGeneration,
  type Store,
  type UsageDimension,
  type UsageQuery,
  type UsageRecord,
  type UsageSample,
  type UsageSum,
  type Write,
} from '../../../internal/store/store.ts'

/** The Store port in memory, for tests that are not about the disk. A restart is a second engine on the same object. */
export class MemoryStore implements Store {
  readonly rows: AuditRow[] = []
  /** Every batch that was committed, in order. */
  readonly batches: Batch[] = []
  /** While set, commits fail with it. */
  trouble: Error | null = null
  /** While set, commits wait for it. */
  hung: Promise<void> | null = null
  readonly #tables = new Map<string, Map<string, Write>>()

  async load(): Promise<Snapshot> {
    return {
      credentials: this.#rowsOf('credential'),
      states: this.#rowsOf('credential-state'),
      pools: this.#rowsOf('pool'),
      poolStates: this.#rowsOf('pool-state'),
      seats: this.#rowsOf('seat'),
      domains: this.#rowsOf('domain'),
      hosts: this.#rowsOf('host'),
      keys: this.#rowsOf('key'),
      secrets: this.#rowsOf('secret'),
      suppressed: this.#writesOf('suppressed').map(({ signal, count, at }) => ({ signal, count, at })),
      meta: Object.fromEntries(this.#writesOf('meta').map(({ name, value }) => [name, value])),
    }
  }

  async commit(batch: Batch): Promise<readonly number[]> {
    if (this.hung) await this.hung
    if (this.trouble) throw this.trouble
    for (const write of batch.writes) this.#refuseStale(write)
    this.batches.push(batch)
    for (const write of batch.writes) this.#apply(write)
    return batch.audit.map((entry) => this.#append(entry))
  }

  async audit(query: AuditQuery): Promise<readonly AuditRow[]> {
    const fitting = this.rows.filter(
      (row) =>
        row.at >= (query.since ?? 0) &&
        row.seq > (query.after ?? 0) &&
        (query.pool === undefined || row.pool === query.pool) &&
        (query.kind === undefined || row.kind === query.kind),
    )
    const limit = query.limit ?? fitting.length
    return query.after === undefined
      ? fitting.slice(fitting.length - Math.min(limit, fitting.length))
      : fitting.slice(0, limit)
  }

  async verifyAudit() {
    const last = this.rows.at(-1)
    return { ok: true as const, rows: this.rows.length, head: last ? { seq: last.seq, hash: last.hash } : null }
  }

  async prune(): Promise<number> {
    return 0
  }

  async usage({ from, to, by }: UsageQuery): Promise<readonly UsageSum[]> {
    const sums = new Map<string, UsageSum>()
    for (const row of this.#rowsOf('usage').filter(({ hour }) => hour >= from && hour < to)) {
      const name = (dimension: UsageDimension) => (by.includes(dimension) ? row[dimension] : null)
      const names = { key: name('key'), member: name('member'), model: name('model'), pool: name('pool') }
      const key = Object.values(names).join('/')
      const sum = sums.get(key) ?? { ...row, ...nothing, ...names }
      sums.set(key, { ...sum, ...added(sum, row) })
    }
    return [...sums.values()]
  }

  async pruneUsage(): Promise<number> {
    return 0
  }

  async incidents(): Promise<readonly IncidentRecord[]> {
    return this.#rowsOf('incident')
  }

  async outbox(): Promise<readonly OutboxRecord[]> {
    return this.#rowsOf('outbox')
  }

  async usageSamples(query: SampleQuery): Promise<readonly UsageSample[]> {
    const samples = this.#rowsOf('usage-sample').toSorted((one, other) => one.at - other.at)
    if (!('latest' in query)) return samples.filter(({ at }) => at > query.after)
    return [...new Map(samples.map((sample) => [sample.credentialId, sample])).values()]
  }

  async thinSamples(): Promise<number> {
    return 0
  }

  async refreshState(id: string) {
    const row = this.#rowsOf('refresh').find((each) => each.id === id) ?? null
    return { row, secrets: this.#rowsOf('secret').filter((secret) => secret.owner === id) }
  }

  async space() {
    return { usedBytes: 0, freeBytes: 2 ** 40, totalBytes: 2 ** 41 }
  }

  readonly shared = null

  async close(): Promise<void> {}

  #append(entry: AuditEntry): number {
    const seq = this.rows.length + 1
    const { kind, at, pool, from, to, reason, actor, detail } = entry.event
    const hash = createHash('sha256')
      .update(`${this.rows.at(-1)?.hash ?? ''}${JSON.stringify({ event: entry.event, suppressed: entry.suppressed })}`)
      .digest('hex')
    this.rows.push({ seq, at, kind, pool, from, to, reason, actor, suppressed: entry.suppressed, detail, hash })
    return seq
  }

  #refuseStale(write: Write): void {
    if (!('put' in write) || write.put !== 'refresh') return
    const current = this.#rowsOf('refresh').find(({ id }) => id === write.row.id)
    if ((current?.generation ?? null) !== write.expected) throw new StaleGeneration('refreshed by another process')
  }

  #apply(write: Write): void {
    if ('put' in write) {
      this.#table(write.put).set(idOf(write), write)
      return
    }
    switch (write.drop) {
      case 'credential':
        this.#table('credential').delete(write.id)
        this.#table('credential-state').delete(write.id)
        this.#table('refresh').delete(write.id)
        this.#dropWhere('secret', (row) => row.put === 'secret' && row.row.owner === write.id)
        this.#dropWhere('seat', (row) => row.put === 'seat' && row.row.credentialId === write.id)
        return
      case 'pool':
        this.#table('pool').delete(write.name)
        this.#table('pool-state').delete(write.name)
        this.#dropWhere('seat', (row) => row.put === 'seat' && row.row.pool === write.name)
        return
      case 'secret':
        this.#dropWhere('secret', (row) => row.put === 'secret' && row.row.owner === write.owner)
        return
      case 'seat':
        this.#table('seat').delete(`${write.pool}/${write.credentialId}`)
        return
      case 'host':
        this.#table('host').delete(write.host)
        return
      case 'incident':
      case 'outbox':
        this.#table(write.drop).delete(write.id)
        return
      case 'meta':
        this.#table('meta').delete(write.name)
        return
      case 'suppressed':
        this.#table('suppressed').delete(write.signal)
    }
  }

  #dropWhere(table: string, matches: (write: Extract<Write, { put: string }>) => boolean): void {
    for (const [id, write] of this.#table(table)) if ('put' in write && matches(write)) this.#table(table).delete(id)
  }

  #table(name: string): Map<string, Write> {
    const table = this.#tables.get(name) ?? new Map<string, Write>()
    this.#tables.set(name, table)
    return table
  }

  #writesOf<K extends Extract<Write, { put: string }>['put']>(name: K): Extract<Write, { put: K }>[] {
    return [...this.#table(name).values()] as Extract<Write, { put: K }>[]
  }

  #rowsOf<K extends Extract<Write, { row: unknown }>['put']>(name: K): RowOf<K>[] {
    return this.#writesOf(name).map((write) => (write as { row: RowOf<K> }).row)
  }
}

const nothing = {
  requests: 0,
  unmetered: 0,
  unpriced: 0,
  input: 0,
  cached: 0,
  cacheWrite: 0,
  output: 0,
  reasoning: 0,
  cost: 0,
}

function added(sum: UsageSum, row: UsageRecord): typeof nothing {
  const fields = Object.keys(nothing) as (keyof typeof nothing)[]
  return Object.fromEntries(fields.map((field) => [field, sum[field] + row[field]])) as typeof nothing
}

type RowOf<K> = Extract<Write, { put: K; row: unknown }>['row']

function idOf(write: Extract<Write, { put: string }>): string {
  switch (write.put) {
    case 'credential':
    case 'credential-state':
    case 'key':
    case 'incident':
    case 'outbox':
    case 'refresh':
      return write.row.id
    case 'pool':
    case 'pool-state':
    case 'domain':
      return write.row.name
    case 'seat':
      return `${write.row.pool}/${write.row.credentialId}`
    case 'host':
      return write.row.host
    case 'secret':
      return `${write.row.owner}/${write.row.field}`
    case 'usage': {
      const { hour, writer, pool, key, member, model } = write.row
      return [hour, writer, pool, key, member, model].join('/')
    }
    case 'meta':
      return write.name
    case 'usage-sample':
      return `${write.row.credentialId}/${write.row.at}`
    case 'suppressed':
      return write.signal
  }
}
