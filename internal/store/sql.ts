import { AuditTable } from './audit-table.ts'
import type { Snapshot, Write } from './batch.ts'
import { type Cell, encode } from './column.ts'
import { StaleGeneration } from './fault.ts'
import { belongsToAnother, copyEntry, fingerprintEntry, unfinished } from './fingerprint.ts'
import type { RefreshRecord } from './records.ts'
import { listSamples, putSample, thinSamples } from './samples-table.ts'
import type { Committed } from './shared.ts'
import { type Connection, Statements } from './statements.ts'
import type { NamedBatch, Steps, StepTypes } from './steps.ts'
import * as tables from './tables.ts'
import { pruneUsage, usageSums } from './usage-table.ts'

/** What the steps need beyond SQL, in the way of one kind of database. */
export interface Housekeeping {
  space(): StepTypes['space']['answers'] | Promise<StepTypes['space']['answers']>
  /** Gives room back to the disk after rows were removed. */
  shrink(): void | Promise<void>
}

/** What a batch takes part in where replicas share the database. */
export interface Fleet {
  /** Checks the conditions of the batch and numbers it, before it is written; null when it changes no rows. */
  enter(on: Connection, batch: NamedBatch): Promise<number | null>
  /** Forgets what nobody asks for any more. */
  forget(on: Connection): Promise<void>
}

interface SqlOptions {
  readonly auditKey: Uint8Array
  readonly house: Housekeeping
  /** Null: no other process writes to the database. */
  readonly fleet: Fleet | null
}

/** The steps of a Store over any database that kysely speaks to and that has the schema of `migrate`. */
export class SqlSteps implements Steps {
  readonly #db: Connection
  readonly #statements: Statements
  readonly #trail: AuditTable
  readonly #house: Housekeeping
  readonly #fleet: Fleet | null

  constructor(db: Connection, { auditKey, house, fleet }: SqlOptions) {
    this.#db = db
    this.#statements = new Statements(db)
    this.#trail = new AuditTable(this.#statements, auditKey, fleet !== null)
    this.#house = house
    this.#fleet = fleet
  }

  /** Signs the beginning of the audit chain; once in the life of a database, in the transaction that sets it up. */
  begin(on: Connection): Promise<void> {
    return this.#trail.begin(on)
  }

  /**
   * Keeps the fingerprint of the master key in a store that has none; throws a StoreError when it has another one, or when it
   * is being copied into, unless the caller `resumes` that.
   */
  async claim(store: string, keyId: string, resumes = false): Promise<void> {
    const [kept] = await this.#statements.find(this.#db, tables.meta, { name: fingerprintEntry })
    if (kept && kept.value !== keyId) throw belongsToAnother(store, kept.value, keyId)
    const [copied] = await this.#statements.find(this.#db, tables.meta, { name: copyEntry })
    if (copied && !resumes) throw unfinished(store, copied.value)
    if (kept) return
    await this.#write((on) => this.sign(on, keyId))
  }

  /** Keeps the fingerprint of the master key, in a transaction of the caller. */
  sign(on: Connection, keyId: string): Promise<void> {
    return this.#statements.put(on, tables.meta, { name: fingerprintEntry, value: keyId })
  }

  load(): Promise<Snapshot> {
    return this.#read((on) => this.loadOn(on))
  }

  /** The snapshot that a transaction sees. */
  async loadOn(on: Connection): Promise<Snapshot> {
    const { credentials, credentialStates, pools, poolStates, seats, domains, hosts, keys, secrets } = tables
    const statements = this.#statements
    return {
      credentials: await statements.find(on, credentials),
      states: await statements.find(on, credentialStates),
      pools: await statements.find(on, pools),
      poolStates: await statements.find(on, poolStates),
      seats: await statements.find(on, seats),
      domains: await statements.find(on, domains),
      hosts: await statements.find(on, hosts),
      keys: await statements.find(on, keys),
      secrets: await statements.find(on, secrets),
      suppressed: await statements.find(on, tables.suppressed),
      meta: notes(await statements.find(on, tables.meta)),
    }
  }

  commit(batch: NamedBatch): Promise<Committed> {
    return this.#write(async (on) => {
      const number = (await this.#fleet?.enter(on, batch)) ?? null
      for (const write of batch.writes) await this.#apply(on, write)
      const seqs = batch.audit.length > 0 ? await this.#trail.append(on, batch.audit) : []
      return { seqs, number }
    })
  }

  refreshState(id: string): Promise<StepTypes['refreshState']['answers']> {
    return this.#read(async (on) => {
      const [row] = await this.#statements.find(on, tables.refreshes, { id })
      return { row: row ?? null, secrets: await this.#statements.find(on, tables.secrets, { owner: id }) }
    })
  }

  audit(query: StepTypes['audit']['asks']): Promise<StepTypes['audit']['answers']> {
    return this.#read((on) => this.#trail.list(on, query))
  }

  verify(walk: StepTypes['verify']['asks']): Promise<StepTypes['verify']['answers']> {
    return this.#read((on) => this.#trail.verify(on, walk))
  }

  async prune(asks: StepTypes['prune']['asks']): Promise<number> {
    const fleet = this.#fleet
    if (fleet) await this.#write((on) => fleet.forget(on))
    const gone = await this.#write((on) => this.#trail.prune(on, asks))
    if (gone > 0) await this.#house.shrink()
    return gone
  }

  usage(query: StepTypes['usage']['asks']): Promise<StepTypes['usage']['answers']> {
    return this.#read((on) => usageSums(on, query))
  }

  async pruneUsage({ now, retention }: StepTypes['pruneUsage']['asks']): Promise<number> {
    const gone = await this.#write((on) => pruneUsage(on, now - retention.maxAgeMs, retention))
    if (gone > 0) await this.#house.shrink()
    return gone
  }

  incidents(): Promise<StepTypes['incidents']['answers']> {
    return this.#statements.find(this.#db, tables.incidents)
  }

  outbox(): Promise<StepTypes['outbox']['answers']> {
    return this.#statements.find(this.#db, tables.outbox)
  }

  usageSamples(query: StepTypes['usageSamples']['asks']): Promise<StepTypes['usageSamples']['answers']> {
    return listSamples(this.#db, query)
  }

  thinSamples({ now, retention }: StepTypes['thinSamples']['asks']): Promise<number> {
    return this.#write((on) => thinSamples(on, now, retention))
  }

  async space(): Promise<StepTypes['space']['answers']> {
    return this.#house.space()
  }

  #read<T>(run: (on: Connection) => Promise<T>): Promise<T> {
    return reading(this.#db, run)
  }

  #write<T>(run: (on: Connection) => Promise<T>): Promise<T> {
    return this.#db.transaction().execute(run)
  }

  #apply(on: Connection, write: Write): Promise<void> {
    return 'put' in write ? this.#put(on, write) : this.#drop(on, write)
  }

  #put(on: Connection, write: Extract<Write, { put: string }>): Promise<void> {
    const statements = this.#statements
    switch (write.put) {
      case 'credential':
        return statements.put(on, tables.credentials, write.row)
      case 'credential-state':
        return statements.put(on, tables.credentialStates, write.row)
      case 'pool':
        return statements.put(on, tables.pools, write.row)
      case 'pool-state':
        return statements.put(on, tables.poolStates, write.row)
      case 'seat':
        return statements.put(on, tables.seats, write.row)
      case 'domain':
        return statements.put(on, tables.domains, write.row)
      case 'host':
        return statements.put(on, tables.hosts, write.row)
      case 'key':
        return statements.put(on, tables.keys, write.row)
      case 'secret':
        return statements.put(on, tables.secrets, write.row)
      case 'refresh':
        return this.#replaceRefresh(on, write.row, write.expected)
      case 'incident':
        return statements.put(on, tables.incidents, write.row)
      case 'outbox':
        return statements.put(on, tables.outbox, write.row)
      case 'usage':
        return statements.put(on, tables.usage, write.row)
      case 'usage-sample':
        return putSample(on, statements, write.row)
      case 'meta':
        return statements.put(on, tables.meta, { name: write.name, value: write.value })
      case 'suppressed':
        return statements.put(on, tables.suppressed, { signal: write.signal, count: write.count, at: write.at })
    }
  }

  /** What belongs to a credential or a pool goes with it by its foreign keys, except the secrets. */
  async #drop(on: Connection, write: Extract<Write, { drop: string }>): Promise<void> {
    const statements = this.#statements
    switch (write.drop) {
      case 'credential':
        await statements.remove(on, tables.secrets, { owner: write.id })
        await statements.remove(on, tables.usageSamples, { credential_id: write.id })
        return statements.remove(on, tables.credentials, { id: write.id })
      case 'pool':
        return statements.remove(on, tables.pools, { name: write.name })
      case 'seat':
        return statements.remove(on, tables.seats, { pool: write.pool, credential_id: write.credentialId })
      case 'host':
        return statements.remove(on, tables.hosts, { host: write.host })
      case 'secret':
        return statements.remove(on, tables.secrets, { owner: write.owner })
      case 'incident':
        return statements.remove(on, tables.incidents, { id: write.id })
      case 'outbox':
        return statements.remove(on, tables.outbox, { id: write.id })
      case 'meta':
        return statements.remove(on, tables.meta, { name: write.name })
      case 'suppressed':
        return statements.remove(on, tables.suppressed, { signal: write.signal })
    }
  }

  async #replaceRefresh(on: Connection, row: RefreshRecord, expected: number | null): Promise<void> {
    const [found] = await this.#statements.find(on, tables.refreshes, { id: row.id })
    // The very same row is there: this batch was tried before, and its answer was lost.
    if (found && same(encode(tables.refreshes, found), encode(tables.refreshes, row))) return
    if ((found?.generation ?? null) !== expected) {
      throw new StaleGeneration(`the tokens of ${row.id} were renewed by somebody else`)
    }
    await this.#statements.put(on, tables.refreshes, row)
  }
}

function same(a: readonly Cell[], b: readonly Cell[]): boolean {
  return a.every((cell, i) => cell === b[i])
}

/** What `run` answers in a transaction that sees the database as it is at one moment. */
export function reading<T>(db: Connection, run: (on: Connection) => Promise<T>): Promise<T> {
  return db.transaction().setAccessMode('read only').setIsolationLevel('repeatable read').execute(run)
}

/** What the product wrote down by name; the fingerprint is the store's own. */
function notes(rows: readonly { readonly name: string; readonly value: string }[]): Record<string, string> {
  return Object.fromEntries(
    rows.flatMap(({ name, value }) => (name === fingerprintEntry || name === copyEntry ? [] : [[name, value]])),
  )
}
