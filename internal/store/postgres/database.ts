import { Kysely, PostgresDialect } from 'kysely'
import type { Connection } from '../statements.ts'
import { type ConnectionOptions, Connections } from './connections.ts'

/** The database itself, for whoever copies it; its own store must not be in use by this process at the same time. */
export function databaseAt(options: ConnectionOptions): { readonly db: Connection; close(): Promise<void> } {
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool: new Connections(options, 2) }) })
  return { db, close: () => db.destroy() }
}
