import { z } from 'zod'
import { parseDuration } from '../../config/config.ts'
import { Refusal } from '../../pool/pool.ts'
import type {
  AdmitShape,
  EnforcedShape,
  EvidenceShape,
  FrameShape,
  GuardShape,
  ProbeShape,
  RecoveryShape,
  SwitchShape,
} from '../guard.ts'
import { known, verb } from '../verb.ts'

const dryRun = z.boolean().default(false)
const path = z.string().min(1).max(4096)

export const guardVerbs = {
  guardStatus: verb({
    method: 'GET',
    path: '/v1/guard',
    args: z.strictObject({}),
    run: async (call): Promise<GuardShape> => call.guard.status(),
  }),
  guardProbe: verb({
    method: 'POST',
    path: '/v1/guard/hot-paths/:name/probe',
    args: z.strictObject({ name: known }),
    run: async (call, { name }): Promise<ProbeShape> => call.guard.probe(name),
  }),
  guardEnforce: verb({
    method: 'POST',
    path: '/v1/guard/enforce',
    args: z.strictObject({ name: known.optional(), dryRun }),
    run: async (call, { name, dryRun }): Promise<EnforcedShape[]> =>
      call.guard.enforce(name ?? null, { dryRun, actor: call.actor }),
  }),
  guardRecover: verb({
    method: 'POST',
    path: '/v1/guard/hot-paths/:name/recover',
    args: z.strictObject({ name: known, dryRun }),
    run: async (call, { name, dryRun }): Promise<RecoveryShape> =>
      call.guard.recover(name, { dryRun, actor: call.actor }),
  }),
  guardEnable: verb({
    method: 'POST',
    path: '/v1/guard/:name/enable',
    args: z.strictObject({ name: known }),
    run: async (call, { name }): Promise<SwitchShape> => call.guard.turn(name, true, call.actor),
  }),
  guardDisable: verb({
    method: 'POST',
    path: '/v1/guard/:name/disable',
    args: z.strictObject({ name: known }),
    run: async (call, { name }): Promise<SwitchShape> => call.guard.turn(name, false, call.actor),
  }),
  guardFrame: verb({
    method: 'GET',
    path: '/v1/guard/frame',
    args: z.strictObject({}),
    run: async (call): Promise<FrameShape> => call.guard.frame(),
  }),
  guardEvidence: verb({
    method: 'POST',
    path: '/v1/guard/evidence',
    args: z.strictObject({ paths: z.array(path).max(50).default([]), since: z.string().default('1h') }),
    async run(call, { paths, since }): Promise<EvidenceShape> {
      const sinceMs = parseDuration(since)
      if (!sinceMs) throw new Refusal('invalid', `${JSON.stringify(since)} is not a length of time`, 'example: 1h')
      return call.guard.evidence(paths, sinceMs)
    },
  }),
  guardAdmit: verb({
    method: 'POST',
    path: '/v1/guard/admit',
    args: z.strictObject({
      pool: known,
      budgets: z.array(known).max(50).default([]),
      hotPaths: z.array(known).max(50).default([]),
      folder: path.nullable().default(null),
      trial: z.boolean().default(true),
    }),
    run: async (call, asks): Promise<AdmitShape> => call.guard.admit(asks),
  }),
}
