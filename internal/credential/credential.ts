/**
 * The secrets behind the members: where each comes from, how it is kept fresh, and what the current one is.
 * The data path asks `material(lease)`, which answers at once for a key and may wait for a token that is due.
 */
import type { Injection } from '../dialect/dialect.ts'
import type { Reason } from '../pool/pool.ts'
import type { CredentialRecord } from '../store/store.ts'

/** The current secret of a credential, in the form that a dialect injects, with the generation it belongs to. */
export interface Material {
  readonly injection: Injection
  readonly generation: number
}

/** The secret cannot be had now; `reason` says what to do with the member. */
export class NoMaterial extends Error {
  override readonly name = 'NoMaterial'
  readonly reason: Reason
  constructor(reason: Reason, message: string) {
    super(message)
    this.reason = reason
  }
}

export interface Credentials {
  /** Answers synchronously where it can; rejects or throws NoMaterial. */
  material(credential: CredentialRecord): Material | Promise<Material>
  /**
   * After an `auth-expired` answer for `generation`: re-reads the source, refreshes once, and says whether there is a
   * newer secret to try (`renewed`), or that a person must log in (`needs-login`), or neither (`unavailable`).
   */
  renew(credential: CredentialRecord, generation: number): Promise<'renewed' | 'needs-login' | 'unavailable'>
}
