import { z } from 'zod'
import { type AuditListShape, type AuditShape, auditListShape, auditShape } from '../../audit/audit.ts'
import { eventKinds } from '../../events/events.ts'
import type { AuditQuery, ChainVerdict } from '../../store/store.ts'
import { missing, oneOf } from '../names.ts'
import { sinceWhen } from '../since.ts'
import { type Call, count, verb } from '../verb.ts'

const mostRows = 10_000
const pageRows = 1_000

export const trailVerbs = {
  auditList: verb({
    method: 'GET',
    path: '/v1/audit',
    args: z.strictObject({
      /** RFC 3339, or how long ago, such as `2h`. */
      since: z.string().optional(),
      pool: z.string().optional(),
      kind: z.string().optional(),
      limit: count.pipe(z.int().min(1).max(mostRows)).default(50),
    }),
    async run(call, { since, pool, kind, limit }): Promise<AuditListShape[]> {
      if (kind !== undefined) oneOf('kind of audit row', kind, eventKinds)
      if (pool !== undefined) await checkPool(call, pool)
      const query: AuditQuery = {
        limit,
        ...(since === undefined ? {} : { since: sinceWhen(since, call.clock.now()) }),
        ...(pool === undefined ? {} : { pool }),
        ...(kind === undefined ? {} : { kind }),
      }
      return (await call.store.audit(query)).map(auditListShape)
    },
  }),
  auditVerify: verb({
    method: 'GET',
    path: '/v1/audit/verify',
    args: z.strictObject({}),
    run: async (call): Promise<ChainVerdict> => call.store.verifyAudit(),
  }),
  auditExport: verb({
    method: 'GET',
    path: '/v1/audit/export',
    args: z.strictObject({
      /** Rows with a higher number only: the last one of the page before. */
      after: count.default(0),
      limit: count.pipe(z.int().min(1).max(mostRows)).default(pageRows),
    }),
    run: async (call, { after, limit }): Promise<AuditShape[]> =>
      (await call.store.audit({ after, limit })).map(auditShape),
  }),
}

/** Refuses a pool that neither is nor was: rows of one that was deleted stay. */
async function checkPool({ engine, store }: Call, name: string): Promise<void> {
  if (engine.pool(name) || (await store.audit({ pool: name, limit: 1 })).length > 0) return
  throw missing(
    'pool',
    name,
    engine.pools().map(({ record }) => record.name),
  )
}
