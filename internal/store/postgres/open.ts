import { randomBytes } from 'node:crypto'
import { statfsSync } from 'node:fs'
import { Kysely, PostgresDialect, sql } from 'kysely'
import type { Store } from '../api.ts'
import { belongsToAnother, fingerprintEntry, type StoreKey } from '../fingerprint.ts'
import { migrate, newestSchema, readMark, refuseNewer } from '../migrate.ts'
import type { Spelling } from '../migrations/migration.ts'
import type { Shared, Watcher } from '../shared.ts'
import { reading, SqlSteps } from '../sql.ts'
import type { Connection } from '../statements.ts'
import { type Commit, storeOf } from '../steps.ts'
import { type ConnectionOptions, Connections } from './connections.ts'
import { faultOf } from './fault.ts'
import { channel, Feed } from './feed.ts'
import { healthOf } from './health.ts'
import { leasesOn, type Run } from './leases.ts'
import { replicasOn } from './replicas.ts'
import { stepsIn } from './steps.ts'
import { Turns } from './turns.ts'
import { Watch } from './watch.ts'

export interface PostgresOptions extends ConnectionOptions {
  /** Of the master key; a store that belongs to another one is refused. */
  readonly key: StoreKey
  /** The most connections for statements; one more listens. */
  readonly connections: number
  /** The version of the program, named to older ones that meet this database. */
  readonly program: string
  /** The data directory of this replica: the disk whose room `space` tells. */
  readonly directory: string
  /** To go on with a copy into it that was cut off. */
  readonly resumes?: boolean
}

export const spelling: Spelling = {
  int: 'bigint',
  real: 'double precision',
  text: 'text collate "C"',
  keyed: '',
  numbered: '',
  isShared: true,
}

/** Holds replicas that start at the same moment apart while they set the schema up; any number that nobody else uses. */
const setUpLock = 8_460_001

/**
 * The Store in a PostgreSQL database, which must be there; its tables are made when they are missing. Rejects with a
 * StoreError when the database cannot be reached, was written by a newer version, or with another master key; nothing is
 * written then.
 */
export async function openPostgres(options: PostgresOptions): Promise<Store> {
  const { address, clock, connectMs, statementMs, key } = options
  const db = new Kysely<unknown>({
    dialect: new PostgresDialect({ pool: new Connections(options, options.connections) }),
  })
  const origin = randomBytes(8).toString('hex')
  const feed = new Feed(db, origin)
  const steps = new SqlSteps(db, { auditKey: key.auditKey, fleet: feed, house: houseOf(db, options) })
  const turns = new Turns({ label: address.label, clock, deadlineMs: connectMs + statementMs })
  try {
    await turns.write(() => setUp(db, steps, options))
  } catch (error) {
    await db.destroy()
    throw faultOf(error, address.label)
  }
  const watches = new Set<Watch>()
  async function close(): Promise<void> {
    await turns.close()
    await Promise.all([...watches].map((watch) => watch.close()))
    await db.destroy()
  }
  const shared = (commit: Commit) => sharedOn({ db, steps, feed, turns, watches, origin, commit, options })
  return storeOf(stepsIn(turns, steps), close, shared)
}

interface Parts {
  readonly db: Connection
  readonly steps: SqlSteps
  readonly feed: Feed
  readonly turns: Turns
  readonly watches: Set<Watch>
  readonly origin: string
  readonly commit: Commit
  readonly options: PostgresOptions
}

function sharedOn({ db, steps, feed, turns, watches, origin, commit, options }: Parts): Shared {
  const run: Run = (what) => turns.apart(() => what(db))
  const notify = (text: string) =>
    run(async (on) => void (await sql`select pg_notify(${channel}, ${text})`.execute(on)))
  return {
    origin,
    commit,
    snapshot: () =>
      turns.read(() =>
        reading(db, async (on) => ({ snapshot: await steps.loadOn(on), number: (await feed.ends(on)).number })),
      ),
    changes: (after) => turns.apart(() => reading(db, (on) => feed.changes(on, after))),
    watch(listener: Watcher) {
      const watch = new Watch({ ...options, origin, notify }, listener)
      watches.add(watch)
      return async () => {
        watches.delete(watch)
        await watch.close()
      }
    },
    leases: leasesOn(run),
    replicas: replicasOn(run),
    health: () => run((on) => healthOf(on, options.address, () => performance.now())),
  }
}

/** Looks before it writes: a database that is not for us stays as it is. */
async function setUp(
  db: Connection,
  steps: SqlSteps,
  { address, program, key, resumes }: PostgresOptions,
): Promise<void> {
  const { label } = address
  const mark = (await hasTables(db)) ? await readMark(db) : null
  if (mark) {
    refuseNewer(label, mark, program)
    const { rows } = await sql<{ value: string }>`select value from meta where name = ${fingerprintEntry}`.execute(db)
    if (rows[0] && rows[0].value !== key.keyId) throw belongsToAnother(label, rows[0].value, key.keyId)
    if (mark.version === newestSchema) return steps.claim(label, key.keyId, resumes)
  }
  await migrate(db, label, {
    spelling,
    program,
    alone: async (on) => void (await sql`select pg_advisory_xact_lock(${setUpLock})`.execute(on)),
    // In one transaction: of replicas that begin with different keys, one wins.
    async begin(on) {
      await steps.begin(on)
      await steps.sign(on, key.keyId)
    },
  })
  await steps.claim(label, key.keyId, resumes)
}

async function hasTables(db: Connection): Promise<boolean> {
  const { rows } = await sql<{ there: boolean }>`select to_regclass('schema_mark') is not null as there`.execute(db)
  return rows[0]?.there ?? false
}

function houseOf(db: Connection, { directory }: PostgresOptions) {
  return {
    async space() {
      const { rows } = await sql<{ bytes: number }>`select pg_database_size(current_database()) as bytes`.execute(db)
      const disk = statfsSync(directory)
      const usedBytes = rows[0]?.bytes ?? 0
      return { usedBytes, freeBytes: disk.bavail * disk.bsize, totalBytes: disk.blocks * disk.bsize }
    },
    // PostgreSQL uses the room of removed rows again by itself.
    shrink: () => {},
  }
}
