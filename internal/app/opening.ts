import { existsSync, rmSync } from 'node:fs'
import type { Clock } from '../clock/clock.ts'
import type { Config } from '../config/config.ts'
import { Refusal } from '../pool/pool.ts'
import {
  openPostgresStore,
  openSqliteStore,
  type Place,
  type Store,
  StoreError,
  type StoreKey,
} from '../store/store.ts'
import { Vault } from '../vault/vault.ts'
import type { Places } from './places.ts'
import { masterKeyOf, pemFrom, secretFrom } from './secrets.ts'
import { databaseOf } from './settings.ts'

const storeDeadlineMs = 5_000

/** What a store is opened with. */
export interface Opening {
  readonly places: Places
  readonly config: Config
  readonly clock: Clock
  readonly env: Readonly<Record<string, string | undefined>>
  readonly version: string
}

/** Opens the store of the installation and its vault; a key that was made for it is removed when the store has another. */
export async function openInstallation(opening: Opening): Promise<{ readonly vault: Vault; readonly store: Store }> {
  const { places, config } = opening
  const isNew = !existsSync(places.masterKey)
  const vault = new Vault(masterKeyOf(places, databaseOf(config)))
  try {
    const key = { keyId: vault.keyId, auditKey: vault.auditKey() }
    return { vault, store: await openPlace(placeOf(opening, config.store.url, key)) }
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'other-key') throw error
    // Nothing has been sealed with it, and it would only hide that the right one is missing.
    if (isNew) rmSync(places.masterKey, { force: true })
    throw isNew ? noKey(error, places.masterKey) : wrongKey(error, places.masterKey)
  }
}

/** Opens the store at a place; rejects with a StoreError or a Refusal. */
export async function openPlace(place: Place): Promise<Store> {
  return place.kind === 'sqlite' ? openSqliteStore(place.options) : openPostgresStore(place.options)
}

/** Where the URL says that a store is, with the settings of the configuration; throws a Refusal. */
export function placeOf({ places, config, clock, env, version }: Opening, url: string, key: StoreKey): Place {
  if (url.startsWith('sqlite:')) {
    const file = url.slice('sqlite:'.length)
    return { kind: 'sqlite', options: { file, key, clock, deadlineMs: storeDeadlineMs, program: version } }
  }
  const { passwordFile, tls, connectMs, statementMs, connections } = config.store
  const pem = (name: string, file: string | null) => (file === null ? null : pemFrom(`store.tls.${name}`, file))
  const options = {
    url,
    key,
    clock,
    env,
    password: passwordFile === null ? null : () => passwordIn(passwordFile, env),
    tls: { ca: pem('caFile', tls.caFile), cert: pem('certFile', tls.certFile), key: pem('keyFile', tls.keyFile) },
    connectMs,
    statementMs,
    connections,
    program: version,
    directory: places.data,
  }
  return { kind: 'postgres', options }
}

function passwordIn(file: string, env: Opening['env']) {
  const secret = secretFrom('store.passwordFile', { file, variable: null }, env)
  if (secret === null) throw new Refusal('invalid', `store.passwordFile: ${file} holds nothing`)
  return secret
}

function wrongKey({ message, hint }: StoreError, keyFile: string): Refusal {
  return new Refusal('conflict', `${message} (${keyFile})`, hint)
}

function noKey({ message }: StoreError, keyFile: string): Refusal {
  const told = message.replace(/, and the one at hand is .*/, '')
  return new Refusal('conflict', `${told}, and there is no ${keyFile}`, 'Copy the master key of another replica there.')
}
