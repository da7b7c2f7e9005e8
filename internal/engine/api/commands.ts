import type { Actor, At, Park, Reason, Tuning } from '../../pool/pool.ts'
import type { CredentialRecord, PoolRecord, Write } from '../../store/store.ts'

/** A member of a new pool; what is not said of it stays untuned. */
export interface NewMember extends Partial<Tuning> {
  readonly member: string
}

/** What operators do. Each resolves when the change is durable and rejects with a Refusal when it cannot be done. */
export interface Commands {
  createPool(record: PoolRecord, members: readonly NewMember[], actor: Actor): Promise<void>
  changePool(
    name: string,
    change: Partial<Omit<PoolRecord, 'name' | 'provider' | 'createdAt'>>,
    actor: Actor,
  ): Promise<void>
  deletePool(name: string, actor: Actor): Promise<void>
  /** `position` counts from 1; null appends. */
  addMember(
    pool: string,
    member: string,
    options: { position: number | null } & Partial<Tuning>,
    actor: Actor,
  ): Promise<void>
  tune(pool: string, member: string, change: Partial<Tuning>, actor: Actor): Promise<void>
  dropMember(pool: string, member: string, actor: Actor): Promise<void>
  reorder(pool: string, members: readonly string[], actor: Actor): Promise<void>
  /** Parks the active member for `forMs` (null: the configured default) and moves on; refuses when nobody healthy is left to move to. */
  rotate(
    pool: string,
    options: { to: string | null; forMs: number | null },
    actor: Actor,
  ): Promise<{ from: string; to: string; until: At }>
  /** `forMs` null parks until somebody unparks. */
  park(pool: string, member: string, forMs: number | null, actor: Actor): Promise<Park>
  /** false: it was not parked. */
  unpark(pool: string, member: string, actor: Actor): Promise<boolean>
  /** Ends a cooldown or a suspicion, of the member, its models and its domain; false: there was none. */
  clear(pool: string, member: string, actor: Actor): Promise<boolean>
  addCredential(record: CredentialRecord, alsoWrite: readonly Write[], actor: Actor): Promise<void>
  removeCredential(name: string, options: { force: boolean }, actor: Actor): Promise<void>
  /** false: it already is so. */
  setEnabled(name: string, enabled: boolean, actor: Actor): Promise<boolean>
  /** The secret of a credential changed: a new generation. A `login` or an `operator` ends whatever kept it out, a `refresh` only a rejected login. A credential's row among what is also written takes the place of its record. */
  renewCredential(
    name: string,
    how: 'login' | 'operator' | 'refresh',
    alsoWrite: (generation: number) => readonly Write[],
    actor: Actor,
  ): Promise<void>
  /** A person must log in, or mend the source of a secret that is `unreadable`: out of selection until `renewCredential`. */
  needsLogin(name: string, generation: number, reason: Reason): Promise<void>
}
