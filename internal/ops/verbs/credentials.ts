import { z } from 'zod'
import type { Finding } from '../../engine/engine.ts'
import { isClosed, Refusal, remedyFor } from '../../pool/pool.ts'
import type { CredentialRecord, PoolRecord } from '../../store/store.ts'
import { addCredential, checkSecret, sealedSecret } from '../enrol.ts'
import { type CredentialView, credentialNamed, poolNamed } from '../find.ts'
import { typed } from '../hint.ts'
import { dialectFor } from '../names.ts'
import { type HealthShape, healthShape, instant, maybeInstant } from '../present.ts'
import { givenSecret, login, source } from '../source.ts'
import { type Call, flag, known, verb } from '../verb.ts'
import { defaultSettings } from './pools.ts'

/** A credential without its secret. */
export interface CredentialShape {
  name: string
  provider: string
  /** The shape of API that it is for; null: any that its provider offers. */
  shape: string | null
  baseUrl: string | null
  domain: string | null
  header: string | null
  auth: 'api-key' | 'oauth'
  source:
    | { kind: 'vault' }
    | { kind: 'env'; variable: string; kept?: boolean }
    | { kind: 'file'; path: string }
    | { kind: 'command'; command: string }
  createdAt: string
  /** Grows when the secret is replaced. */
  generation: number
  health: HealthShape
  pools: string[]
  /** Why its secret cannot be used now, or should not be; null when all is well. */
  problem: string | null
  /** When its token ends that cannot be refreshed (`claude setup-token`: a year after it was added); null for all else. */
  endsAt: string | null
  /** Which login refreshes its tokens, such as `codex`; null for keys. */
  login: string | null
  /** What a person types to mend it; null when it waits for nobody. */
  command: string | null
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
    shape: z.string().optional(),
    source,
    baseUrl: z.string().min(1).max(4096).optional(),
    domain: z.string().optional(),
    header: z.string().optional(),
    login: login.optional(),
  }),
  async run(call, args): Promise<CredentialShape> {
    await addCredential(call, args)
    return credentialShape(call, credentialNamed(call.engine, args.name))
  },
})

/** The credential as it is shown. */
export function credentialShape(call: Call, { record, generation, health, pools }: CredentialView): CredentialShape {
  return {
    name: record.name,
    provider: record.provider,
    shape: record.shape ?? null,
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
    endsAt: maybeInstant(call.credentials.endsAt(record)),
    login: record.oauth?.login ?? null,
    command: typed(remedyFor(record.name, health)),
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

const named = z.strictObject({ name: known })

function switched(enabled: boolean) {
  return async (call: Call, { name }: { name: string }): Promise<{ name: string; changed: boolean }> => {
    const { record, health } = credentialNamed(call.engine, name)
    const isOut = isClosed(health)
    // A login that was refused is presented once more, and a request may ask for it as soon as it is enabled.
    if (enabled && isOut) await call.credentials.retry(record)
    const problem =
      enabled && (health.state === 'needs-login' || health.state === 'unreadable')
        ? call.credentials.problemOf(record)
        : null
    // A shell that lacks a variable says nothing about the daemon, which has an environment of its own.
    if (problem?.broken && call.startedAt !== null)
      throw new Refusal('conflict', `the secret of ${name} cannot be read: ${problem.message}`, unreadHint(record))
    // What the source holds now may have made it usable already.
    return { name, changed: (await call.engine.setEnabled(name, enabled, call.actor)) || (enabled && isOut) }
  }
}

function unreadHint({ name, source }: CredentialRecord): string {
  if (source.kind === 'vault') return `spillway cred login ${name}`
  return source.kind === 'env'
    ? 'variables are read when spillway starts'
    : 'mend it there; that is noticed within a second'
}

/** Whether its key is sealed here, so that another can be put in its place. */
function isKept({ source }: CredentialRecord): boolean {
  return source.kind === 'vault' || (source.kind === 'env' && source.kept === true)
}

const credReplace = verb({
  method: 'PUT',
  path: '/v1/credentials/:name/secret',
  args: z.strictObject({ name: known, secret: givenSecret }),
  async run(call, { name, secret }): Promise<{ name: string }> {
    const { record } = credentialNamed(call.engine, name)
    if (record.auth === 'oauth')
      throw new Refusal('conflict', `${name} is a login, not a key`, `spillway cred login ${name}`)
    if (!isKept(record))
      throw new Refusal('conflict', `the key of ${name} is not in the vault`, `change it where it comes from`)
    checkSecret(secret)
    const replacing = (generation: number) => {
      const row = sealedSecret(call, { owner: record.id, generation }, secret)
      // Together with the generation, so that no request is sent with the old key and the blame of the new one.
      call.credentials.add([record], [row])
      return [{ put: 'secret' as const, row }]
    }
    await call.engine.renewCredential(name, 'operator', replacing, call.actor)
    return { name }
  },
})

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
  credReplace,
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
