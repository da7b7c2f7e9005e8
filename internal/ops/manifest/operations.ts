import type { NewMember } from '../../engine/engine.ts'
import type { Tuning } from '../../pool/pool.ts'
import type { PoolRecord } from '../../store/store.ts'
import { addCredential, type NewCredential } from '../enrol.ts'
import type { Call } from '../verb.ts'

/** What `apply` does, or would do, to one credential or pool. */
export interface ManifestChange {
  kind: 'credential' | 'pool'
  name: string
  action: 'create' | 'change' | 'unchanged'
  /** What differs, in words. */
  what: string[]
}

/** A member whose tuning differs, and what of it. */
export interface Retuned {
  readonly member: string
  readonly change: Partial<Tuning>
}

type Operation =
  | { readonly kind: 'none' }
  | { readonly kind: 'credential'; readonly given: NewCredential }
  | { readonly kind: 'new-pool'; readonly record: PoolRecord; readonly seats: readonly NewMember[] }
  | {
      readonly kind: 'pool'
      readonly name: string
      readonly change: Partial<PoolRecord>
      readonly add: readonly NewMember[]
      readonly drop: readonly string[]
      readonly tune: readonly Retuned[]
      readonly order: readonly string[] | null
    }

/** One thing to do, and how it is told. */
export interface Step {
  readonly change: ManifestChange
  readonly operation: Operation
}

/** Does what the step says. */
export async function carryOut(call: Call, { operation }: Step): Promise<void> {
  const { engine, actor } = call
  switch (operation.kind) {
    case 'none':
      return
    case 'credential':
      await addCredential(call, operation.given)
      return
    case 'new-pool':
      await engine.createPool(operation.record, operation.seats, actor)
      return
    case 'pool':
      if (Object.keys(operation.change).length > 0) await engine.changePool(operation.name, operation.change, actor)
      // New members first, so that the pool is never empty on the way.
      await seat(call, operation.name, operation.add)
      for (const member of operation.drop) await engine.dropMember(operation.name, member, actor)
      for (const { member, change } of operation.tune) await engine.tune(operation.name, member, change, actor)
      if (operation.order) await engine.reorder(operation.name, operation.order, actor)
  }
}

async function seat(call: Call, pool: string, seats: readonly NewMember[]): Promise<void> {
  for (const { member, ...tuning } of seats)
    await call.engine.addMember(pool, member, { position: null, ...tuning }, call.actor)
}
