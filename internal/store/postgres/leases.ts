import { sql } from 'kysely'
import type { Lease, Leases } from '../shared.ts'
import type { Connection } from '../statements.ts'

/** The time of the database, in milliseconds: replicas' own clocks may differ. */
export const now = sql`(extract(epoch from clock_timestamp()) * 1000)::bigint`

/** Runs one statement on the database, with a deadline. */
export type Run = <T>(what: (on: Connection) => Promise<T>) => Promise<T>

/** Whether the lease is current; it stays so until the transaction ends, since nobody can take it over meanwhile. */
export async function isCurrent(on: Connection, lease: Lease): Promise<boolean> {
  const { rows } = await sql`select 1 from leases where ${that(lease)} for share`.execute(on)
  return rows.length > 0
}

/** The leases of the fleet, each a row. */
export function leasesOn(run: Run): Leases {
  return {
    take: (name, holder, ttlMs) =>
      run(async (on) => {
        const until = sql`${now} + ${Math.round(ttlMs)}::bigint`
        const { rows } = await sql<{ generation: number }>`
          insert into leases as kept (name, holder, generation, until_at) values (${name}, ${holder}, 1, ${until})
          on conflict (name) do update set holder = excluded.holder, until_at = excluded.until_at,
            generation = kept.generation + case when kept.until_at > ${now} then 0 else 1 end
          where kept.until_at <= ${now} or kept.holder = excluded.holder
          returning generation`.execute(on)
        return rows[0] ? { name, holder, generation: rows[0].generation } : null
      }),
    renew: (lease, ttlMs) =>
      run(async (on) => {
        const until = sql`${now} + ${Math.round(ttlMs)}::bigint`
        const { rows } = await sql`update leases set until_at = ${until} where ${that(lease)} returning 1`.execute(on)
        return rows.length > 0
      }),
    release: (lease) =>
      run(async (on) => void (await sql`update leases set until_at = 0 where ${that(lease)}`.execute(on))),
    held: () =>
      run(async (on) => {
        const { rows } = await sql<Lease & { until: number }>`
          select name, holder, generation, until_at as until from leases where until_at > ${now} order by name`.execute(
          on,
        )
        return rows
      }),
  }
}

function that({ name, holder, generation }: Lease) {
  return sql`name = ${name} and holder = ${holder} and generation = ${generation} and until_at > ${now}`
}
