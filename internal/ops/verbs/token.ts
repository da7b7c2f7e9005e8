import { z } from 'zod'
import type { Explanation } from '../../engine/engine.ts'
import { type At, type Closed, isClosed, Refusal, remedyFor } from '../../pool/pool.ts'
import type { CredentialRecord } from '../../store/store.ts'
import { type CredentialView, credentialNamed, poolNamed } from '../find.ts'
import { typed } from '../hint.ts'
import { credentialPackage } from '../lazily.ts'
import { missing } from '../names.ts'
import { instant, maybeInstant } from '../present.ts'
import { type Call, known, verb } from '../verb.ts'
import { durable } from './keys.ts'

/** A secret that can be used now. */
export interface TokenShape {
  /** The pool that it was asked for; null for a credential by its own name. */
  pool: string | null
  member: string
  provider: string
  kind: 'api-key' | 'bearer-token'
  token: string
  /** The account of the token, where its upstream wants to hear it (`chatgpt-account-id`). */
  accountId: string | null
  /** null: nobody says when it ends. */
  expiresAt: string | null
}

const named = z.strictObject({ name: known })

const poolToken = verb({
  method: 'GET',
  path: '/v1/pools/:name/token',
  args: named,
  secret: true,
  run: async (call, { name }): Promise<TokenShape> => ofPool(call, name),
})

/** The token of a pool, or of a credential where no pool has that name. */
const token = verb({
  method: 'GET',
  path: '/v1/tokens/:name',
  args: named,
  secret: true,
  async run(call, { name }): Promise<TokenShape> {
    if (call.engine.pool(name)) return ofPool(call, name)
    const found = call.engine.credentials().find(({ record }) => record.name === name)
    if (found) return ofCredential(call, found)
    const pools = call.engine.pools().map(({ record }) => record.name)
    const credentials = call.engine.credentials().map(({ record }) => record.name)
    throw missing('pool or credential', name, [...pools, ...credentials])
  },
})

/** The token of whoever would serve the pool's next request, or else of the next one who can. */
async function ofPool(call: Call, name: string): Promise<TokenShape> {
  poolNamed(call.engine, name)
  const explanation = call.engine.explain(name, null)
  const { decision } = explanation
  if (decision.kind !== 'lease' || decision.lease.role === 'degraded') throw nobody(call, name)
  const refusals: Refusal[] = []
  for (const record of [decision.lease.credential, ...others(call, explanation)]) {
    try {
      return await issued(call, record, name)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      refusals.push(error)
    }
  }
  throw refusals.find(({ code }) => code === 'try-later') ?? refusals[0]!
}

/** Members who could serve, too, in their order. */
function others(call: Call, { members }: Explanation): CredentialRecord[] {
  const able = new Set(members.flatMap(({ member, why }) => (why === 'standby' ? [member] : [])))
  return call.engine.credentials().flatMap(({ record }) => (able.has(record.name) ? [record] : []))
}

/** Why the pool has no token to give: the same answer as `check`. */
function nobody(call: Call, name: string): Refusal {
  const { members, retryAt } = poolNamed(call.engine, name)
  if (retryAt !== null)
    return new Refusal('try-later', `${name} cannot serve before ${instant(retryAt)}`, `spillway pool explain ${name}`)
  const remedy = members.map((member) => remedyFor(member.name, member.health)).find((each) => each !== null)
  return members.length === 0
    ? new Refusal('needs-person', `${name} has no members`, `spillway pool add ${name} MEMBER`)
    : new Refusal('needs-person', `${name} cannot serve before a person acts`, typed(remedy ?? null))
}

const closures: Readonly<Record<Closed['state'], (name: string) => string>> = {
  disabled: (name) => `${name} is disabled`,
  'needs-login': (name) => `${name} needs a login`,
  unreadable: (name) => `the secret of ${name} cannot be read`,
}

async function ofCredential(call: Call, { record, health }: CredentialView): Promise<TokenShape> {
  if (isClosed(health))
    throw new Refusal('needs-person', closures[health.state](record.name), typed(remedyFor(record.name, health)))
  return issued(call, record, null)
}

/** Gives the secret out once the audit log knows of it. */
async function issued(call: Call, record: CredentialRecord, pool: string | null): Promise<TokenShape> {
  const { NoMaterial } = await credentialPackage()
  const { name: member, provider } = record
  const current = await call.credentials.current(record).catch((error: unknown) => {
    throw error instanceof NoMaterial ? unavailable(call, record, error) : error
  })
  const { secret, kind, accountId } = current.injection
  call.engine.tell({ kind: 'token_issued', pool, from: member, actor: call.actor, detail: {} })
  await durable(call)
  return { pool, member, provider, kind, token: secret, accountId, expiresAt: maybeInstant(current.expiresAt) }
}

function unavailable(
  call: Call,
  record: CredentialRecord,
  error: { readonly message: string; readonly retryAt: At | null },
): Refusal {
  if (error.retryAt !== null)
    return new Refusal('try-later', error.message, `the next attempt is at ${instant(error.retryAt)}`)
  const { health } = credentialNamed(call.engine, record.name)
  const login = record.auth === 'oauth' ? 'login' : 'show'
  return new Refusal(
    'needs-person',
    error.message,
    typed(remedyFor(record.name, health)) ?? `spillway cred ${login} ${record.name}`,
  )
}

export const tokenVerbs = { poolToken, token }
