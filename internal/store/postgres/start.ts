import { userInfo } from 'node:os'
import type { Secret } from '../../vault/vault.ts'
import type { Store } from '../api.ts'
import type { Connection } from '../statements.ts'
import { addressOf } from './address.ts'
import type { PostgresOptions } from './open.ts'
import { passwordFrom } from './password.ts'

/** How a database is reached and opened. */
export interface PostgresSettings extends Omit<PostgresOptions, 'address' | 'password'> {
  readonly url: string
  /** The password that the configuration names, asked for each connection; null: the environment's. */
  readonly password: (() => Secret) | null
  readonly env: Readonly<Record<string, string | undefined>>
}

/**
 * The Store in the PostgreSQL database that the URL names. What speaks to it is loaded here and nowhere else, since most
 * installations have none. Rejects with a StoreError.
 */
export async function openPostgresStore(settings: PostgresSettings): Promise<Store> {
  const options = optionsOf(settings)
  const { openPostgres } = await import('./open.ts')
  return openPostgres(options)
}

/** The database itself, for whoever copies it. Throws a StoreError. */
export async function postgresDatabase(
  settings: PostgresSettings,
): Promise<{ readonly db: Connection; readonly label: string; close(): Promise<void> }> {
  const options = optionsOf(settings)
  const { databaseAt } = await import('./database.ts')
  return { ...databaseAt(options), label: options.address.label }
}

function optionsOf({ url, password, env, ...options }: PostgresSettings): PostgresOptions {
  const address = addressOf(url, env.PGUSER || userInfo().username)
  return { ...options, address, password: password ?? (() => passwordFrom(env, address)) }
}
