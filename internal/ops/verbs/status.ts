import { z } from 'zod'
import { Refusal } from '../../pool/pool.ts'
import { type IncidentShape, incidentShape, instant, maybeInstant, type PoolShape } from '../present.ts'
import { shownPool } from '../shown-pool.ts'
import { type ReplicaFacts, verb } from '../verb.ts'

/** Everything at a glance. */
export interface StatusShape {
  version: string
  /** The version of Node that runs it. */
  node: string
  /** Whether plain requests are read with Node's own parser, past node:http; null: no daemon runs. */
  fastPath: boolean | null
  /** null: no daemon runs, the answer is what the next one will begin with. */
  startedAt: string | null
  /** Where agents are pointed at. */
  origin: string
  pools: PoolShape[]
  incidents: IncidentShape[]
  /** Those that share the store; empty where there can be only one. */
  replicas: ReplicaShape[]
}

/** A replica of the fleet. */
export interface ReplicaShape {
  name: string
  version: string
  startedAt: string
  seenAt: string
  draining: boolean
}

function replicaShape({ startedAt, seenAt, ...rest }: ReplicaFacts): ReplicaShape {
  return { ...rest, startedAt: instant(startedAt), seenAt: instant(seenAt) }
}

export const statusVerbs = {
  status: verb({
    method: 'GET',
    path: '/v1/status',
    args: z.strictObject({}),
    async run(call): Promise<StatusShape> {
      const stored = async () => (await call.store.incidents()).map((record) => ({ record, text: null }))
      const incidents = await (call.incidents ?? stored)()
      return {
        version: call.version,
        ...call.runtime,
        startedAt: maybeInstant(call.startedAt),
        origin: call.origin(),
        pools: call.engine.pools().map((pool) => shownPool(call, pool)),
        incidents: incidents.filter(({ record }) => record.closedAt === null).map(incidentShape),
        replicas: ((await call.replicas?.()) ?? []).map(replicaShape),
      }
    },
  }),
  reload: verb({
    method: 'POST',
    path: '/v1/reload',
    args: z.strictObject({}),
    async run(call): Promise<{ applied: boolean; problems: string[] }> {
      if (!call.reload)
        throw new Refusal('conflict', 'no daemon runs, so there is nothing to reload', 'spillway serve starts one')
      const { applied, problems } = await call.reload()
      return { applied, problems: [...problems] }
    },
  }),
}
