import { randomUUID } from 'node:crypto'
import { validateHeaderName } from 'node:http'
import { holdsKey } from '../keys/keys.ts'
import { Refusal } from '../pool/pool.ts'
import type { CredentialRecord, SecretRecord, Write } from '../store/store.ts'
import type { Secret } from '../vault/vault.ts'
import { checkBaseUrl } from './address.ts'
import { checkName, providerNamed, shapeNamed } from './names.ts'
import { checkSource, isLogin, loginSettings, type NewLogin, type NewSource, recorded } from './source.ts'
import type { Call } from './verb.ts'

/** What a new credential is made of; the secret itself only where it goes into the vault. */
export interface NewCredential {
  readonly name: string
  readonly provider: string
  readonly shape?: string | undefined
  readonly source: NewSource
  readonly baseUrl?: string | undefined
  readonly domain?: string | undefined
  readonly header?: string | undefined
  /** For tokens that are refreshed. */
  readonly login?: NewLogin | undefined
}

/** Checks and adds a credential; a given secret is sealed in the same transaction that records it. */
export async function addCredential(call: Call, given: NewCredential): Promise<void> {
  const record = recordOf(call, given)
  const check = checkSource(given.source)
  if (check) await check
  const first = { owner: record.id, generation: 1 }
  const secret = given.source.kind === 'vault' ? sealedSecret(call, first, given.source.secret) : null
  await enrol(call, record, secret ? [{ put: 'secret', row: secret }] : [])
}

/** Adds a credential whose record has been checked, with the rows that hold its secret, in one transaction. */
export async function enrol(call: Call, record: CredentialRecord, writes: readonly Write[]): Promise<void> {
  const rows = writes.flatMap((write) => ('put' in write && write.put === 'secret' ? [write.row] : []))
  try {
    await call.engine.addCredential(record, writes, call.actor)
  } catch (error) {
    // When the store is ill the change is refused as not durable, but in force: it has to work all the same.
    if (call.engine.credential(record.id)) call.credentials.add([record], rows)
    throw error
  }
  call.credentials.add([record], rows)
  await call.credentials.ready()
}

/** Refuses a new credential for everything that is wrong with it but its secret, which nobody should have to type in vain. */
export function checkNew(call: Call, given: Omit<NewCredential, 'source' | 'login'>): void {
  const { name, baseUrl, domain, header } = given
  checkName('credential', name)
  const provider = providerNamed(given.provider)
  shapeNamed(provider, given.shape)
  if (domain !== undefined) checkDomain(domain)
  if (header !== undefined) checkHeader(header, provider)
  if (baseUrl !== undefined) checkBaseUrl(baseUrl, call.config().upstream.allowPrivate)
}

/** The record of a new credential; refuses what could not work. */
export function recordOf(call: Call, given: NewCredential): CredentialRecord {
  const { name, baseUrl, domain, header } = given
  checkNew(call, given)
  const provider = providerNamed(given.provider)
  const shape = shapeNamed(provider, given.shape)
  if (given.source.kind === 'vault') checkSecret(given.source.secret)
  const tokens = isLogin(given.source)
  if (given.login !== undefined && !tokens)
    throw new Refusal(
      'invalid',
      'only tokens are refreshed',
      'they are read from a file: --from-file with --file-format',
    )
  return {
    id: randomUUID(),
    name,
    provider,
    ...(shape === null ? {} : { shape }),
    baseUrl: baseUrl === undefined ? null : checkBaseUrl(baseUrl, call.config().upstream.allowPrivate),
    domain: domain ?? null,
    header: header?.toLowerCase() ?? null,
    source: recorded(given.source),
    auth: tokens ? 'oauth' : 'api-key',
    ...(tokens ? { oauth: loginSettings(call, given.source, given.login) } : {}),
    createdAt: call.clock.now(),
  }
}

/** The row of a key in the vault. */
export function sealedSecret(call: Call, of: { owner: string; generation: number }, secret: Secret): SecretRecord {
  const context = { ...of, field: 'secret' }
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

/** Refuses a secret that no header can carry. */
export function checkSecret(secret: Secret): void {
  const value = secret.reveal()
  if (value === '') throw new Refusal('invalid', 'the secret is empty')
  if (holdsKey(value))
    throw new Refusal(
      'invalid',
      'that is a client key of spillway itself, which no upstream knows',
      'give the key that the provider issued',
    )
  if (!/^[\x21-\x7e]+$/.test(value))
    throw new Refusal('invalid', 'the secret contains blanks, line ends or characters that no header can carry')
}
