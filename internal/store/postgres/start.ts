import { userInfo } from 'node:os'
import type { Secret } from '../../vault/vault.ts'
import type { Store } from '../api.ts'
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
export async function openPostgresStore({ url, password, env, ...options }: PostgresSettings): Promise<Store> {
  const address = addressOf(url, env.PGUSER || userInfo().username)
  const { openPostgres } = await import('./open.ts')
  return openPostgres({ ...options, address, password: password ?? (() => passwordFrom(env, address)) })
}
