import { z } from 'zod'
import { leaseMs } from '../jobbook.ts'
import { checkName } from '../names.ts'
import { instant } from '../present.ts'
import { known, verb } from '../verb.ts'

/** Whether a job may be started now, and what its earlier runs left behind. */
export interface ClaimShape {
  job: string
  /** Names the claim when it is settled or renewed; null: it is not to be started. */
  lease: string | null
  /** Why not: somebody runs it, or its next attempt is later. */
  why: 'running' | 'waiting' | null
  /** Who runs it. */
  holder: string | null
  /** When the claim ends unless it is renewed, or when the next attempt may be made. */
  until: string
  /** How long a claim holds without being renewed, in ms. */
  leaseMs: number
  /** Failures in a row: of the job itself, and of what it runs on. */
  failures: number
  infra: number
}

const number = z.int().min(0).max(1_000_000)

export const jobVerbs = {
  jobClaim: verb({
    method: 'POST',
    path: '/v1/jobs/:name/claim',
    args: z.strictObject({ name: known, holder: z.string().min(1).max(100) }),
    async run(call, { name, holder }): Promise<ClaimShape> {
      checkName('job', name)
      const claim = await call.jobs.claim(name, holder)
      const { failures, infra, lease, nextAttemptAt } = claim.record
      const waiting = !claim.ok && claim.why === 'waiting'
      return {
        job: name,
        lease: claim.ok ? claim.lease : null,
        why: claim.ok ? null : claim.why,
        holder: waiting ? null : (lease?.holder ?? null),
        until: instant(waiting || lease === null ? nextAttemptAt : lease.until),
        leaseMs,
        failures,
        infra,
      }
    },
  }),
  jobRenew: verb({
    method: 'POST',
    path: '/v1/jobs/:name/renew',
    args: z.strictObject({ name: known, lease: z.string() }),
    run: async (call, { name, lease }): Promise<{ job: string; held: boolean }> => ({
      job: name,
      held: await call.jobs.renew(name, lease),
    }),
  }),
  jobSettle: verb({
    method: 'POST',
    path: '/v1/jobs/:name/settle',
    args: z.strictObject({
      name: known,
      lease: z.string(),
      failures: number,
      infra: number,
      /** How long the next attempt waits, a day at most. */
      waitMs: z.number().min(0).max(86_400_000),
      running: z.boolean(),
    }),
    run: async (call, { name, lease, ...settlement }): Promise<{ job: string; held: boolean }> => ({
      job: name,
      held: await call.jobs.settle(name, lease, settlement),
    }),
  }),
}
