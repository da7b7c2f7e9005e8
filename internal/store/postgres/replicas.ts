import { sql } from 'kysely'
import type { At } from '../../pool/pool.ts'
import type { Replica, Replicas } from '../shared.ts'
import { now, type Run } from './leases.ts'

/** How long a replica that says nothing any more is kept. */
const keptMs = 24 * 3_600_000

/** The replicas of the fleet, each a row. */
export function replicasOn(run: Run): Replicas {
  return {
    beat: (replica) =>
      run(async (on) => {
        const { id, name, version, startedAt, draining } = replica
        await sql`
          with lost as (delete from replicas where seen_at < ${now} - ${keptMs}::bigint)
          insert into replicas (id, name, version, started_at, seen_at, draining)
          values (${id}, ${name}, ${version}, ${Math.round(startedAt)}, ${now}, ${Number(draining)})
          on conflict (id) do update set name = excluded.name, version = excluded.version,
            started_at = excluded.started_at, seen_at = excluded.seen_at, draining = excluded.draining`.execute(on)
      }),
    list: (withinMs) =>
      run(async (on) => {
        const { rows } = await sql<Omit<Replica, 'draining'> & { seenAt: At; draining: number }>`
          select id, name, version, started_at as "startedAt", seen_at as "seenAt", draining from replicas
          where seen_at >= ${now} - ${Math.round(withinMs)}::bigint order by name, id`.execute(on)
        return rows.map((row) => ({ ...row, draining: row.draining === 1 }))
      }),
    leave: (id) => run(async (on) => void (await sql`delete from replicas where id = ${id}`.execute(on))),
  }
}
