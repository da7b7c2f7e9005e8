import { existsSync } from 'node:fs'
import type { Port, StoreReport } from '../../cli/cli.ts'
import type { Clock } from '../../clock/clock.ts'
import { Refusal } from '../../pool/pool.ts'
import { acquireLock, type Place, StoreError, type Survey, survey, transfer } from '../../store/store.ts'
import { Vault } from '../../vault/vault.ts'
import { type Opening, openPlace, placeOf } from '../opening.ts'
import type { Places } from '../places.ts'
import { masterKeyOf } from '../secrets.ts'
import { databaseOf } from '../settings.ts'
import { load } from './configuration.ts'
import { type Environment, loading } from './loading.ts'

interface Around {
  readonly env: Environment
  readonly clock: Clock
  readonly version: string
}

/** How long a replica that is not seen any more is listed. */
const replicaMs = 60_000

/** Brings the schema of the store in force up to date. */
export async function migrateStore(places: Places, around: Around): ReturnType<Port['store']['migrate']> {
  return withStore(places, around, false, async ({ place }) => {
    const before = await survey(place)
    await (await openPlace(place)).close()
    return { url: before.label, before: before.schema?.version ?? null, now: before.newest }
  })
}

/** Looks whether the store in force is in order; changes nothing. */
export async function checkStore(places: Places, around: Around): Promise<StoreReport> {
  return withStore(places, around, false, async ({ place }) => {
    const found = await survey(place)
    const facts = {
      url: found.label,
      schema: found.schema?.version ?? null,
      newest: found.newest,
      tables: found.tables,
    }
    const report = { ...facts, writtenBy: found.schema?.writtenBy ?? null, server: null, replicas: [] }
    const stale = staleness(found)
    return stale ? { ...report, problems: [stale] } : { ...report, ...(await inside(place)) }
  })
}

/** Copies a store to another place. */
export async function copyStore(
  places: Places,
  around: Around,
  { ends, progress }: { ends: { from: string | null; to: string }; progress: (table: string, rows: number) => void },
): ReturnType<Port['store']['copy']> {
  return withStore(places, around, true, async ({ opening, key, place }) => {
    for (const url of [ends.from, ends.to]) if (url !== null) refuseOtherUrls(url)
    const from = ends.from === null ? place : placeOf(opening, ends.from, key)
    const to = placeOf(opening, ends.to, key)
    if (from.kind === 'sqlite' && !existsSync(from.options.file))
      throw new Refusal('not-found', `${from.options.file} does not exist`)
    if (labelOf(from) === labelOf(to)) throw new Refusal('invalid', `${labelOf(to)} is both ends of the copy`)
    const tables = await transfer(from, to, { progress })
    return { from: labelOf(from), to: labelOf(to), tables }
  })
}

interface Within {
  readonly opening: Opening
  readonly key: { readonly keyId: string; readonly auditKey: Uint8Array }
  /** The store in force. */
  readonly place: Place
}

/** Runs something on the store: one on SQLite, or `alone`, while no spillway of this data directory runs. */
async function withStore<T>(
  places: Places,
  { env, clock, version }: Around,
  alone: boolean,
  run: (within: Within) => Promise<T>,
): Promise<T> {
  const { config } = load(loading(places, env))
  const database = databaseOf(config)
  if (!existsSync(places.masterKey) || (database !== null && !existsSync(database)))
    throw new Refusal('not-found', `nothing is set up in ${places.data}`, 'name the data directory with --data')
  const attempt =
    alone || database !== null ? acquireLock(places.data, { startedAt: clock.now(), version, socket: null }) : null
  if (attempt && !attempt.ok) throw attempt.refusal
  try {
    const vault = new Vault(masterKeyOf(places, database))
    const key = { keyId: vault.keyId, auditKey: vault.auditKey() }
    const opening = { places, config, clock, env, version }
    return await run({ opening, key, place: placeOf(opening, config.store.url, key) })
  } catch (error) {
    throw error instanceof StoreError ? refusalOf(error) : error
  } finally {
    if (attempt?.ok) attempt.lock.release()
  }
}

/** What stands in the way is a conflict; the rest is trouble. */
function refusalOf(error: StoreError): Refusal | StoreError {
  const inTheWay = ['rejected', 'locked', 'unfinished', 'other-key', 'newer'].includes(error.code)
  return inTheWay ? new Refusal('conflict', error.message, error.hint) : error
}

function refuseOtherUrls(url: string): void {
  if (/^(sqlite:.|postgres(ql)?:\/\/)/.test(url)) return
  throw new Refusal('invalid', 'the URL of a store begins with sqlite: or postgres://', 'sqlite:copy.db, for example')
}

function labelOf({ kind, options }: Place): string {
  return kind === 'sqlite' ? `sqlite:${options.file}` : options.url
}

function staleness({ schema, newest }: Survey): StoreReport['problems'][number] | null {
  if (schema?.version === newest) return null
  if (schema === null) return { what: 'nothing has been made in it yet', hint: 'spillway store migrate' }
  const what = `it has schema ${schema.version}, written by spillway ${schema.writtenBy}, and this version has ${newest}`
  return { what, hint: schema.version < newest ? 'spillway store migrate' : 'install the newer version' }
}

/** What only an open store tells. */
async function inside(place: Place): Promise<Pick<StoreReport, 'server' | 'replicas' | 'problems'>> {
  const store = await openPlace(place)
  try {
    const health = (await store.shared?.health()) ?? null
    const verdict = await store.verifyAudit()
    const problems: StoreReport['problems'][number][] = []
    if (!verdict.ok)
      problems.push({ what: `the audit log is broken: ${verdict.problem}`, hint: 'spillway audit verify' })
    if (health?.isPooled)
      problems.push({
        what: 'a connection pooler in transaction mode stands in between: replicas hear of changes by a sweep only',
        hint: 'connect to the database itself, or use session mode',
      })
    const server = health && {
      version: health.server,
      encrypted: health.encrypted,
      latencyMs: health.latencyMs,
      isPooled: health.isPooled,
    }
    return { server, replicas: (await store.shared?.replicas.list(replicaMs)) ?? [], problems }
  } finally {
    await store.close()
  }
}
