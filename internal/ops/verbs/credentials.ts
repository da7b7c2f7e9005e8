import { z } from 'zod'
import { isClosed, Refusal, remedyFor } from '../../pool/pool.ts'
import type { CredentialRecord } from '../../store/store.ts'
import { credTest } from '../credentials/asking.ts'
import { remarksOn } from '../credentials/remarks.ts'
import { credReplace } from '../credentials/replacing.ts'
import { addCredential, checkNew } from '../enrol.ts'
import { type CredentialView, credentialNamed } from '../find.ts'
import { typed } from '../hint.ts'
import { type HealthShape, healthShape, instant, maybeInstant } from '../present.ts'
import { login, source } from '../source.ts'
import { type Call, flag, known, verb } from '../verb.ts'

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
  /** Whose it is, as far as it says by itself; `fingerprint` and `ending` are of a key. */
  identity: {
    account: string | null
    accountId: string | null
    plan: string | null
    fingerprint: string | null
    ending: string | null
  }
  /** What a person types to mend it; null when it waits for nobody. */
  command: string | null
}

const described = z.strictObject({
  name: z.string(),
  provider: z.string(),
  shape: z.string().optional(),
  baseUrl: z.string().min(1).max(4096).optional(),
  domain: z.string().optional(),
  header: z.string().optional(),
})

const credAdd = verb({
  method: 'POST',
  path: '/v1/credentials',
  inTurn: true,
  args: described.extend({ source, login: login.optional() }),
  async run(call, args): Promise<CredentialShape & { warnings: string[] }> {
    await addCredential(call, args)
    const { record } = credentialNamed(call.engine, args.name)
    const warnings = await remarksOn(call, record)
    return { ...credentialShape(call, credentialNamed(call.engine, args.name)), warnings }
  },
})

/** Refuses what `credAdd` would refuse, before anybody types a secret. */
const credVet = verb({
  method: 'POST',
  path: '/v1/credentials/vet',
  args: described,
  async run(call, args): Promise<{ name: string }> {
    checkNew(call, args)
    const { name } = args
    if (call.engine.credentials().some(({ record }) => record.name === name))
      throw new Refusal('conflict', `there is a credential named ${name} already`, { verb: 'replace', name })
    return { name }
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
    identity: call.credentials.identityOf(record),
    command: typed(remedyFor(record.name, health)),
  }
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
  if (source.kind === 'vault') return `spillway cred replace ${name}`
  return source.kind === 'env'
    ? 'variables are read when spillway starts'
    : 'mend it there; that is noticed within a second'
}

const credRemove = verb({
  method: 'DELETE',
  path: '/v1/credentials/:name',
  inTurn: true,
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
  credVet,
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
