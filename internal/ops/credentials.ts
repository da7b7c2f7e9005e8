import { randomUUID } from 'node:crypto'
import { validateHeaderName } from 'node:http'
import { z } from 'zod'
import { dialectOf } from '../dialect/dialect.ts'
import type { Finding } from '../engine/engine.ts'
import { Refusal } from '../pool/pool.ts'
import type { CredentialRecord, PoolRecord, SecretRecord, Source } from '../store/store.ts'
import { Secret } from '../vault/vault.ts'
import { checkBaseUrl } from './address.ts'
import { type CredentialView, credentialNamed, poolNamed } from './find.ts'
import { checkName, providerNamed } from './names.ts'
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

const text = z.string().min(1).max(4096)

const source = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('vault'),
    secret: z
      .string()
      .max(64 * 1024)
      .transform((secret) => new Secret(secret.trim())),
  }),
  z.strictObject({
    kind: z.literal('env'),
    variable: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*(#[1-9]\d*)?$/, 'expected the name of an environment variable'),
  }),
  z.strictObject({ kind: z.literal('file'), path: text.regex(/^(\/|[A-Za-z]:[\\/])/, 'expected an absolute path') }),
  z.strictObject({ kind: z.literal('command'), command: text }),
])
type NewSource = z.output<typeof source>

const credAdd = verb({
  method: 'POST',
  path: '/v1/credentials',
  args: z.strictObject({
    name: z.string(),
    provider: z.string(),
    source,
    baseUrl: text.optional(),
    domain: z.string().optional(),
    header: z.string().optional(),
  }),
  async run(call, args): Promise<CredentialShape> {
    await addCredential(call, args)
    return credentialShape(call, credentialNamed(call.engine, args.name))
  },
})

/** What a new credential is made of; the secret itself only where it goes into the vault. */
export interface NewCredential {
  readonly name: string
  readonly provider: string
  readonly source: NewSource
  readonly baseUrl?: string | undefined
  readonly domain?: string | undefined
  readonly header?: string | undefined
}

/** Checks and adds a credential; a given secret is sealed in the same transaction that records it. */
export async function addCredential(call: Call, given: NewCredential): Promise<void> {
  const record = recordOf(call, given)
  const rows = given.source.kind === 'vault' ? [sealed(call, record.id, given.source.secret)] : []
  const writes = rows.map((row) => ({ put: 'secret' as const, row }))
  try {
    await call.engine.addCredential(record, writes, call.actor)
  } catch (error) {
    // When the store is ill the change is refused as not durable, but in force: it has to work all the same.
    if (call.engine.credentials().some(({ record: { id } }) => id === record.id)) call.credentials.add([record], rows)
    throw error
  }
  call.credentials.add([record], rows)
  await call.credentials.ready()
}

/** The record of a new credential; refuses what could not work. */
export function recordOf(call: Call, given: NewCredential): CredentialRecord {
  const { name, baseUrl, domain, header } = given
  checkName('credential', name)
  const provider = providerNamed(given.provider)
  if (domain !== undefined) checkDomain(domain)
  if (header !== undefined) checkHeader(header, provider)
  if (given.source.kind === 'vault') checkSecret(given.source.secret)
  return {
    id: randomUUID(),
    name,
    provider,
    baseUrl: baseUrl === undefined ? null : checkBaseUrl(baseUrl, call.config().upstream.allowPrivate),
    domain: domain ?? null,
    header: header?.toLowerCase() ?? null,
    source: kept(given.source),
    auth: 'api-key',
    createdAt: call.clock.now(),
  }
}

function kept(source: NewSource): Source {
  switch (source.kind) {
    case 'vault':
      return { kind: 'vault' }
    case 'file':
      return { ...source, format: 'key' }
    case 'env':
    case 'command':
      return source
  }
}

function sealed(call: Call, owner: string, secret: Secret): SecretRecord {
  const context = { owner, field: 'secret', generation: 1 }
  return { ...context, sealed: call.vault.seal(secret, context) }
}

function checkDomain(domain: string): void {
  if (!/^[\x21-\x7e]{1,100}$/.test(domain))
    throw new Refusal(
      'invalid',
      `${JSON.stringify(domain)} cannot be the name of a domain`,
      'up to 100 characters without blanks',
    )
}

/** Headers that belong to the connection or the body: a credential there would break the request. */
const framing = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'te',
  'trailer',
  'expect',
  'keep-alive',
])

function checkHeader(header: string, provider: string): void {
  if (provider !== 'generic')
    throw new Refusal(
      'invalid',
      `${provider} has its own header for the secret`,
      '--header is for the provider generic',
    )
  try {
    validateHeaderName(header)
  } catch {
    throw new Refusal('invalid', `${JSON.stringify(header)} is not the name of a header`)
  }
  if (framing.has(header.toLowerCase())) throw new Refusal('invalid', `${header} cannot carry a secret`)
}

function checkSecret(secret: Secret): void {
  const value = secret.reveal()
  if (value === '') throw new Refusal('invalid', 'the secret is empty')
  if (!/^[\x21-\x7e]+$/.test(value))
    throw new Refusal('invalid', 'the secret contains blanks, line ends or characters that no header can carry')
}

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
