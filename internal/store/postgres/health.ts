import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import type { StoreHealth } from '../shared.ts'
import type { Connection } from '../statements.ts'
import type { Address } from './address.ts'

/** How the database is reached, asked now; `mono` tells the time that only grows, in milliseconds. */
export async function healthOf(db: Connection, { label }: Address, mono: () => number): Promise<StoreHealth> {
  const started = mono()
  const { rows } = await sql<{ server: string; encrypted: boolean | null }>`
    select current_setting('server_version') as server,
      (select ssl from pg_stat_ssl where pid = pg_backend_pid()) as encrypted`.execute(db)
  const latencyMs = mono() - started
  const { server = '', encrypted = null } = rows[0] ?? {}
  return { label, server, encrypted: encrypted ?? false, latencyMs, isPooled: await isPooled(db) }
}

/**
 * Whether a session's setting is seen by another session: then a pooler in transaction mode hands one connection to several,
 * and notifications do not come through.
 */
async function isPooled(db: Connection): Promise<boolean> {
  const mark = randomBytes(6).toString('hex')
  return db.connection().execute(async (held) => {
    await sql`select set_config('spillway.mark', ${mark}, false)`.execute(held)
    const { rows } = await sql<{ seen: string | null }>`select current_setting('spillway.mark', true) as seen`.execute(
      db,
    )
    return rows[0]?.seen === mark
  })
}
