import { z } from 'zod'
import { dialectOf } from '../dialect/dialect.ts'
import type { Finding } from '../engine/engine.ts'
import { Refusal } from '../pool/pool.ts'
import type { CredentialRecord, PoolRecord } from '../store/store.ts'
import { addCredential, source } from './enrol.ts'
import { type CredentialView, credentialNamed, poolNamed } from './find.ts'
import { providerNamed } from './names.ts'
import { defaultSettings } from './pools.ts'
import { type HealthShape, healthShape, instant } from './present.ts'
import { type Call, flag, known, verb } from './verb.ts'

/** A credential without its secret. */
export interface CredentialShape {
  name: string
  provider: string
  baseUrl: string | null
  domain: string | null
  header: string | null
  auth: 'api-key' | 'oauth'
  source:
    | { kind: 'vault' }
    | { kind: 'env'; variable: string }
    | { kind: 'file'; path: string }
    | { kind: 'command'; command: string }
  createdAt: string
  /** Grows when the secret is replaced. */
  generation: number
  health: HealthShape
  pools: string[]
  /** Why its secret cannot be used now, or should not be; null when all is well. */
  problem: string | null
}

/** What the upstream said about a credential. */
export interface TestShape {
  name: string
  /** The pool whose settings were used; null for the provider's own. */
  pool: string | null
  finding: Finding
  reason: string
  status: number | null
}

const credAdd = verb({
  method: 'POST',
  path: '/v1/credentials',
  args: z.strictObject({
    name: z.string(),
    provider: z.string(),
    source,
    baseUrl: z.string().min(1).max(4096).optional(),
    domain: z.string().optional(),
    header: z.string().optional(),
  }),
  async run(call, args): Promise<CredentialShape> {
    await addCredential(call, args)
    return credentialShape(call, credentialNamed(call.engine, args.name))
  },
})

/** The credential as it is shown. */
function credentialShape(call: Call, { record, generation, health, pools }: CredentialView): CredentialShape {
  return {
    name: record.name,
    provider: record.provider,
    baseUrl: record.baseUrl,
    domain: record.domain,
    header: record.header,
    auth: record.auth,
    source: record.source.kind === 'file' ? { kind: 'file', path: record.source.path } : record.source,
    createdAt: instant(record.createdAt),
    generation,
    health: healthShape(health),
    pools: [...pools],
    problem: call.credentials.problemOf(record)?.message ?? null,
  }
}

const credTest = verb({
  method: 'POST',
  path: '/v1/credentials/:name/test',
  args: z.strictObject({ name: known }),
  async run(call, { name }): Promise<TestShape> {
    const credential = credentialNamed(call.engine, name)
    const home = credential.pools[0]
    const pool = home === undefined ? lonely(call, credential.record) : poolNamed(call.engine, home).record
    const found = await call.prober.probe(credential.record, pool)
    return { name, pool: home ?? null, ...found }
  },
})

/** The pool that a credential without one would be tested in. */
function lonely(call: Call, record: CredentialRecord): PoolRecord {
  if (record.baseUrl === null && dialectOf(providerNamed(record.provider)).defaultBaseUrl === null)
    throw new Refusal(
      'conflict',
      `${record.name} names no upstream and is in no pool that does`,
      `spillway pool create NAME --provider ${record.provider} --members ${record.name} --upstream URL`,
    )
  return { ...defaultSettings, name: record.name, provider: record.provider, createdAt: call.clock.now() }
}

const named = z.strictObject({ name: known })

function switched(enabled: boolean) {
  return async (call: Call, { name }: { name: string }): Promise<{ name: string; changed: boolean }> => {
    const { record } = credentialNamed(call.engine, name)
    const changed = await call.engine.setEnabled(name, enabled, call.actor)
    if (enabled && changed) await call.credentials.retry(record)
    return { name, changed }
  }
}

const credRemove = verb({
  method: 'DELETE',
  path: '/v1/credentials/:name',
  args: z.strictObject({ name: known, force: flag.default(false) }),
  async run(call, { name, force }): Promise<{ name: string }> {
    const { record } = credentialNamed(call.engine, name)
    await call.engine.removeCredential(name, { force }, call.actor)
    call.credentials.remove(record.id)
    return { name }
  },
})

export const credentialVerbs = {
  credAdd,
  credTest,
  credRemove,
  credList: verb({
    method: 'GET',
    path: '/v1/credentials',
    args: z.strictObject({}),
    run: async (call): Promise<CredentialShape[]> =>
      call.engine.credentials().map((credential) => credentialShape(call, credential)),
  }),
  credShow: verb({
    method: 'GET',
    path: '/v1/credentials/:name',
    args: named,
    run: async (call, { name }): Promise<CredentialShape> => credentialShape(call, credentialNamed(call.engine, name)),
  }),
  credEnable: verb({ method: 'POST', path: '/v1/credentials/:name/enable', args: named, run: switched(true) }),
  credDisable: verb({ method: 'POST', path: '/v1/credentials/:name/disable', args: named, run: switched(false) }),
}
