import { randomUUID } from 'node:crypto'
import { validateHeaderName } from 'node:http'
import { z } from 'zod'
import { Refusal } from '../pool/pool.ts'
import type { CredentialRecord, SecretRecord, Source } from '../store/store.ts'
import { Secret } from '../vault/vault.ts'
import { checkBaseUrl } from './address.ts'
import { checkName, providerNamed } from './names.ts'
import type { Call } from './verb.ts'

const text = z.string().min(1).max(4096)

/** Where the secret of a new credential comes from; given as text, it is a Secret from here on. */
export const source = z.discriminatedUnion('kind', [
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
