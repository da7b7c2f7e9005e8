import type { Injection } from '../dialect/dialect.ts'
import type { At, Health, Reason } from '../pool/pool.ts'
import type { CredentialRecord } from '../store/store.ts'

/** The current secret of a credential, in the form that a dialect injects. */
export interface Material {
  readonly injection: Injection
  /**
   * Counts the secrets that this credential has had, refreshed tokens included: what `renew` wants to hear. It is not a
   * lease's generation, which grows only when a person or a login elsewhere replaces the secret.
   */
  readonly generation: number
}

/** The secret cannot be had now; `reason` says what to do with the member. */
export class NoMaterial extends Error {
  override readonly name = 'NoMaterial'
  readonly reason: Reason
  /** When asking again may help; null when it needs a person. */
  readonly retryAt: At | null
  constructor(reason: Reason, message: string, retryAt: At | null = null) {
    super(message)
    this.reason = reason
    this.retryAt = retryAt
  }
}

export interface Credentials {
  /** Answers synchronously where it can; rejects or throws NoMaterial. */
  material(credential: CredentialRecord): Material | Promise<Material>
  /**
   * After an `auth-expired` answer for the material of `generation`: re-reads the source, refreshes once, and says
   * whether there is a newer secret to try (`renewed`), or that a person must log in (`needs-login`), or neither
   * (`unavailable`).
   */
  renew(credential: CredentialRecord, generation: number): Promise<Renewal>
}

export type Renewal = 'renewed' | 'needs-login' | 'unavailable'

/** What becomes of a credential's health; `app` wires it to the engine. */
export interface Verdicts {
  /** The engine's generation and health of a credential; undefined when it knows none of that id. */
  engineView(credential: CredentialRecord): { generation: number; health: Health } | undefined
  /** A person must act: out of selection. `generation` is the engine's, as `engineView` gave it before the failed attempt. */
  needsLogin(credential: CredentialRecord, generation: number, reason: Reason): Promise<void>
  /**
   * Another secret took the place of the old one without an operator: a new generation. `login`: healthy again, whatever
   * it was; `refresh`: its health stays.
   */
  replaced(credential: CredentialRecord, how: 'login' | 'refresh'): Promise<void>
}
