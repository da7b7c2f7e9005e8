import type { PostgresPool, PostgresPoolClient } from 'kysely'
import pg from 'pg'
import type { Secret } from '../../vault/vault.ts'
import { StoreError } from '../fault.ts'
import type { Timers } from '../thread.ts'
import type { Address } from './address.ts'
import { endsConnection } from './fault.ts'

/** What every connection to a database is made with. */
export interface ConnectionOptions {
  readonly address: Address
  /** Asked for each connection; null where none is known. */
  readonly password: () => Secret | null
  /** PEM texts; null where a file is not given. */
  readonly tls: { readonly ca: string | null; readonly cert: string | null; readonly key: string | null }
  readonly clock: Timers
  readonly connectMs: number
  /** How long one statement may take. */
  readonly statementMs: number
}

/** A statement is given up a little after the server should have done so: then nobody is there. */
const graceMs = 500
/** PostgreSQL's 64-bit integers: ours are instants and counts, and exact as numbers. */
const int8 = 20

/**
 * How pg connects. A replica that is frozen in the middle of a transaction, or cut off, must not hold up the fleet: the
 * server ends its transaction after `statementMs`.
 */
export function clientConfig(options: ConnectionOptions): pg.ClientConfig {
  const { host, port, user, database, sslMode } = options.address
  return {
    host,
    port,
    user,
    database,
    // Asked for by the server only; nothing of pg's own search for a password is used.
    password: (async () => options.password()?.reveal()) as () => Promise<string>,
    ssl: sslMode === 'disable' ? false : tlsOf(options),
    connectionTimeoutMillis: options.connectMs,
    application_name: 'spillway',
    keepAlive: true,
    types: {
      getTypeParser: (oid: number, format?: 'text' | 'binary') =>
        oid === int8 ? Number : pg.types.getTypeParser(oid, format as 'text'),
    } as pg.CustomTypesConfig,
  }
}

/**
 * The settings of a session, set by a statement: poolers refuse them while connecting, and those in session mode are fine.
 */
export function sessionSettings({ statementMs }: Pick<ConnectionOptions, 'statementMs'>): string {
  return `set statement_timeout = ${statementMs}; set lock_timeout = ${statementMs};
    set idle_in_transaction_session_timeout = ${statementMs}`
}

function tlsOf({ address, tls }: ConnectionOptions): pg.ClientConfig['ssl'] {
  const { ca, cert, key } = tls
  return {
    ...(ca === null ? {} : { ca }),
    ...(cert === null ? {} : { cert }),
    ...(key === null ? {} : { key }),
    rejectUnauthorized: address.sslMode !== 'require',
    ...(address.sslMode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}),
  }
}

/**
 * The connections of a store. One that failed takes the idle ones with it: they lead to the same server that is gone, and
 * each would have to be found out by a deadline of its own.
 */
export class Connections implements PostgresPool {
  readonly #options: ConnectionOptions
  readonly #most: number
  #pool: pg.Pool
  #ended = false

  constructor(options: ConnectionOptions, most: number) {
    this.#options = options
    this.#most = most
    this.#pool = this.#fresh()
  }

  async connect(): Promise<PostgresPoolClient> {
    const pool = this.#pool
    try {
      const client = await pool.connect()
      const guarded = new Guarded(client, { ...this.#options, lost: () => this.#renew(pool) })
      return guarded as unknown as PostgresPoolClient
    } catch (error) {
      this.#renew(pool)
      throw error
    }
  }

  async end(): Promise<void> {
    this.#ended = true
    await this.#pool.end()
  }

  #renew(failed: pg.Pool): void {
    if (this.#pool !== failed || this.#ended) return
    this.#pool = this.#fresh()
    void failed.end()
  }

  #fresh(): pg.Pool {
    const settings = sessionSettings(this.#options)
    const pool = new pg.Pool({
      ...clientConfig(this.#options),
      max: this.#most,
      allowExitOnIdle: true,
      onConnect: async (client) => {
        // One that is lost between two statements of a transaction tells it by the next of them.
        client.on('error', () => {})
        await client.query(settings)
      },
    })
    // An idle connection that is lost is replaced when one is needed; whoever needs it then hears of trouble.
    pool.on('error', () => this.#renew(pool))
    return pool
  }
}

interface Guard {
  readonly address: Address
  readonly clock: Timers
  readonly statementMs: number
  readonly lost: () => void
}

/** A connection that is given up when it fails, or when a statement gets no answer. */
class Guarded {
  readonly #client: pg.PoolClient
  readonly #guard: Guard
  #failure: unknown = null

  constructor(client: pg.PoolClient, guard: Guard) {
    this.#client = client
    this.#guard = guard
  }

  async query(text: string, values: readonly unknown[] = []): Promise<unknown> {
    if (this.#failure !== null) {
      // What was lost is rolled back; saying so again would hide why.
      if (text === 'rollback') return { command: 'ROLLBACK', rowCount: 0, rows: [] }
      throw this.#failure
    }
    try {
      return await this.#timed(text, values)
    } catch (error) {
      if (endsConnection(error)) this.#fail(error)
      throw text === 'commit' && this.#failure !== null ? uncertain(this.#guard.address, error) : error
    }
  }

  release(): void {
    this.#client.release(this.#failure !== null)
  }

  #timed(text: string, values: readonly unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const { address, clock, statementMs } = this.#guard
      const cancel = clock.after(statementMs + graceMs, () => {
        const late = new StoreError('deadline', `${address.label} does not answer within ${statementMs} ms`)
        this.#fail(late)
        reject(late)
      })
      this.#client
        .query(text, [...values])
        .then(resolve, reject)
        .finally(cancel)
    })
  }

  #fail(error: unknown): void {
    this.#failure ??= error
    this.#guard.lost()
  }
}

function uncertain(address: Address, cause: unknown): StoreError {
  const message = `the connection to ${address.label} was lost while a change was being written`
  return new StoreError('deadline', message, { cause, hint: 'It may have been written; it is tried again.' })
}
