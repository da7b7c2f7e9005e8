import { isOneFamily, type Provider, type Shape } from '../dialect/dialect.ts'
import type { MemberStatus, PoolStatus, Views } from '../engine/engine.ts'
import { Refusal } from '../pool/pool.ts'
import type { CredentialRecord } from '../store/store.ts'
import { missing, shapeNamed } from './names.ts'

/** A credential as the engine shows it. */
export type CredentialView = ReturnType<Views['credentials']>[number]

/** The pool of that name; refuses an unknown one with the nearest name. */
export function poolNamed(engine: Views, name: string): PoolStatus {
  const found = engine.pool(name)
  if (found) return found
  throw missing(
    'pool',
    name,
    engine.pools().map((pool) => pool.record.name),
  )
}

/** The credential of that name; refuses an unknown one with the nearest name. */
export function credentialNamed(engine: Views, name: string): CredentialView {
  return credentialsNamed(engine)(name)
}

/** As `credentialNamed`, for many names in a row: pools of 10,000 members are looked up in one pass. */
export function credentialsNamed(engine: Views): (name: string) => CredentialView {
  const all = new Map(engine.credentials().map((view) => [view.record.name, view]))
  return (name) => {
    const found = all.get(name)
    if (found) return found
    throw missing('credential', name, [...all.keys()])
  }
}

/** The member of that name; refuses a name that is not a member of the pool, with the nearest member. */
export function memberOf(pool: PoolStatus, member: string): MemberStatus {
  const found = pool.members.find(({ name }) => name === member)
  if (found) return found
  throw missing(
    `member of ${pool.record.name}`,
    member,
    pool.members.map(({ name }) => name),
  )
}

/** Refuses a credential whose provider or shape is not the pool's: its keys would not be understood there. */
export function sameProvider(
  pool: { name: string; provider: string; shape?: string | undefined },
  credential: CredentialView,
): void {
  const { name, provider, shape } = credential.record
  if (isOneFamily(provider, pool.provider)) {
    const isForeign = provider !== pool.provider && pool.shape !== undefined && pool.shape !== 'openai'
    if (isForeign) throw otherShape(pool, { name, shape: 'openai' })
    if (pool.shape !== undefined && shape !== undefined && pool.shape !== shape)
      throw otherShape(pool, credential.record)
    return
  }
  throw new Refusal(
    'invalid',
    `${name} is a credential of ${provider} and cannot be in ${pool.name}, a pool of ${pool.provider}`,
    `spillway pool create NAME --provider ${provider} --members ${name}`,
  )
}

/**
 * The provider and shape of a pool: the shape that is named, else the one that its members name. Refuses members that are
 * for another.
 */
export function commonShape(
  pool: { name: string; provider: Provider; shape?: string | undefined },
  members: readonly Pick<CredentialRecord, 'name' | 'provider' | 'shape'>[],
): { provider: Provider; shape?: Shape } {
  const { name, provider } = pool
  const foreign = members.find((member) => member.provider !== provider)
  const shape = shapeNamed(provider, pool.shape ?? members.find((member) => member.shape !== undefined)?.shape)
  // Another provider's members speak the one shape that the family has in common.
  if (foreign && shape !== null && shape !== 'openai')
    throw otherShape({ name, shape }, { ...foreign, shape: 'openai' })
  if (shape === null) return { provider }
  const other = members.find((member) => member.shape !== undefined && member.shape !== shape)
  if (other) throw otherShape({ name, shape }, other)
  return { provider, shape }
}

function otherShape(
  pool: { name: string; shape?: string | undefined },
  member: Pick<CredentialRecord, 'name' | 'shape'>,
): Refusal {
  return new Refusal(
    'invalid',
    `${member.name} is for the shape ${member.shape} and cannot be in ${pool.name}, which speaks ${pool.shape}`,
    `add the credential once more without --shape, or give it a pool with --shape ${member.shape}`,
  )
}
