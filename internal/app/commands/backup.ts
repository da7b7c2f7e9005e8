import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { checkTarget, restoreBackup, writeBackup } from '../../backup/backup.ts'
import type { Clock } from '../../clock/clock.ts'
import { Refusal } from '../../pool/pool.ts'
import { copyDatabase, keptFingerprint, transfer } from '../../store/store.ts'
import { readKeyFile, Vault } from '../../vault/vault.ts'
import { type Opening, placeOf } from '../opening.ts'
import type { Places } from '../places.ts'
import { nextKeyOf } from '../secrets.ts'
import { databaseOf } from '../settings.ts'
import { load } from './configuration.ts'
import { type Environment, loading } from './loading.ts'

/** What an installation is, under these names, in a backup and in a data directory. */
const names = { key: 'master.key', database: 'spillway.db', config: 'spillway.yaml' }

/** A backup, and how its passphrase is asked for. */
interface Sealed {
  readonly file: string
  passphrase(): Promise<string>
}

const fleetNote =
  'a restore makes a store of its own on SQLite; for another PostgreSQL database, leave store.url out and use store copy'

/** What was backed up or restored. */
interface BackedUp {
  readonly bytes: number
  /** What the one who asked should know. */
  readonly notes: readonly string[]
}

/** Writes the store, the master key and the configuration of the data directory to one sealed file, whether a daemon runs or not. */
export async function backUp(
  places: Places,
  around: { env: Environment; clock: Clock; version: string },
  to: Sealed,
): Promise<BackedUp> {
  const { config } = load(loading(places, around.env))
  const database = databaseOf(config)
  if (!existsSync(places.masterKey) || (database !== null && !existsSync(database)))
    throw new Refusal('not-found', `nothing is set up in ${places.data}`, 'name the data directory with --data')
  checkTarget(to.file)
  const passphrase = await to.passphrase()
  const scratch = mkdtempSync(join(places.data, 'backup-'))
  try {
    const copy = join(scratch, names.database)
    if (database !== null) await copyDatabase(database, copy)
    else await copyShared({ places, config, ...around }, copy)
    const members = [
      { name: names.key, path: keyOf(places, copy) },
      { name: names.database, path: copy },
      ...(existsSync(places.config) ? [{ name: names.config, path: places.config }] : []),
    ]
    const bytes = await writeBackup(to.file, members, passphrase)
    return { bytes, notes: database === null ? [fleetNote] : elsewhere(places, database) }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** The store that replicas share, as it is at one moment, as a database of this machine. */
async function copyShared(opening: Opening, file: string): Promise<void> {
  const { url } = opening.config.store
  const vault = new Vault(readKeyFile(opening.places.masterKey))
  const key = { keyId: vault.keyId, auditKey: vault.auditKey() }
  await transfer(placeOf(opening, url, key), placeOf(opening, `sqlite:${file}`, key), { isLive: true })
}

/** The key file that opens the copy: while a rotation is under way, or after one was cut off, that may be the next one. */
function keyOf(places: Places, copy: string): string {
  const kept = keptFingerprint(copy)
  const files = [places.masterKey, nextKeyOf(places)].filter((file) => existsSync(file))
  const found = files.find((file) => kept === null || new Vault(readKeyFile(file)).keyId === kept)
  if (found !== undefined) return found
  throw new Refusal(
    'conflict',
    `${places.masterKey} is not the key of this store`,
    'put back the key file that belongs to it',
  )
}

function elsewhere(places: Places, database: string): string[] {
  if (dirname(database) === places.data && basename(database) === names.database) return []
  return [`store.url names ${database}; a restore puts the store at ${names.database} in the data directory`]
}

/** Makes the data directory anew from a backup. */
export async function restore(places: Places, from: Sealed): Promise<BackedUp> {
  const required = [names.key, names.database]
  await restoreBackup(from.file, places.data, { passphrase: () => from.passphrase(), required })
  return { bytes: 0, notes: [] }
}
