import { z } from 'zod'
import type { Finding } from '../../engine/engine.ts'
import { Refusal } from '../../pool/pool.ts'
import type { CredentialRecord, PoolRecord } from '../../store/store.ts'
import { credentialNamed, poolNamed } from '../find.ts'
import { dialectFor } from '../names.ts'
import { type Call, flag, known, verb } from '../verb.ts'
import { defaultSettings } from '../verbs/pools.ts'

/** What the upstream said about a credential. */
export interface TestShape {
  name: string
  /** The pool whose settings were used; null for the provider's own. */
  pool: string | null
  finding: Finding
  reason: string
  status: number | null
  /** What was asked; null when nothing was. */
  asked: string | null
  /** Why nothing was asked, or nobody answered; null when there was an answer. */
  problem: string | null
}

/** `refresh: false` asks with the token as it is; otherwise the test of a login is a refresh. */
export const credTest = verb({
  method: 'POST',
  path: '/v1/credentials/:name/test',
  args: z.strictObject({ name: known, refresh: flag.default(true) }),
  async run(call, { name, refresh }): Promise<TestShape> {
    const credential = credentialNamed(call.engine, name)
    const home = credential.pools[0]
    const pool = home === undefined ? lonely(call, credential.record) : poolNamed(call.engine, home).record
    const { prober } = call
    const found = await (refresh ? prober.probe(credential.record, pool) : prober.check(credential.record, pool))
    return { name, pool: home ?? null, asked: null, problem: null, ...found }
  },
})

/** The pool that a credential without one would be tested in. */
function lonely(call: Call, record: CredentialRecord): PoolRecord {
  if (record.baseUrl === null && dialectFor(record).defaultBaseUrl === null)
    throw new Refusal(
      'conflict',
      `${record.name} names no upstream and is in no pool that does`,
      `spillway pool create NAME --provider ${record.provider} --members ${record.name} --upstream URL`,
    )
  const { name, provider, shape } = record
  const spoken = { provider, ...(shape === undefined ? {} : { shape }) }
  return { ...defaultSettings, ...spoken, name, createdAt: call.clock.now() }
}
