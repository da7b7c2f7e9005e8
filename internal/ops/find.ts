import type { PoolStatus, Views } from '../engine/engine.ts'
import { Refusal } from '../pool/pool.ts'
import { missing } from './names.ts'

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

/** Refuses a name that is not a member of the pool, with the nearest member. */
export function memberOf(pool: PoolStatus, member: string): void {
  const names = pool.members.map(({ name }) => name)
  if (names.includes(member)) return
  throw missing(`member of ${pool.record.name}`, member, names)
}

/** Refuses a credential whose provider is not the pool's: its keys would not be understood there. */
export function sameProvider(pool: { name: string; provider: string }, credential: CredentialView): void {
  const { name, provider } = credential.record
  if (provider === pool.provider) return
  throw new Refusal(
    'invalid',
    `${name} is a credential of ${provider} and cannot be in ${pool.name}, a pool of ${pool.provider}`,
    `spillway pool create NAME --provider ${provider} --members ${name}`,
  )
}
