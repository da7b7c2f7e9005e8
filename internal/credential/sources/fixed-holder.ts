import type { CredentialRecord, SecretRecord } from '../../store/store.ts'
import type { Secret, Vault } from '../../vault/vault.ts'
import type { Material, Renewal } from '../material.ts'
import { type Holder, materialOf, Unreadable } from './holder.ts'

/**
 * A secret that is here from the beginning, sealed in the vault's rows. It is opened when it is first asked for, because opening 10,000 of them takes longer than a start may.
 */
export class FixedHolder implements Holder {
  readonly record: CredentialRecord
  readonly generation: number
  #read: (() => Secret) | null
  #secret: Secret | null = null
  #message = ''

  constructor(record: CredentialRecord, generation: number, read: () => Secret) {
    this.record = record
    this.generation = generation
    this.#read = read
  }

  material(): Material {
    const secret = this.#open()
    if (!secret) throw new Unreadable(this.#message)
    return materialOf(this.record, { secret, generation: this.generation })
  }

  /** A fixed secret does not change by asking again; `renewed` only when the rejected one was an earlier one. */
  async renew(generation: number): Promise<Renewal> {
    return this.#open() && this.generation > generation ? 'renewed' : 'unavailable'
  }

  held(): Secret | null {
    return this.#open()
  }

  problem() {
    return this.#open() ? null : { reason: 'unreadable' as const, message: this.#message, broken: true }
  }

  /** It is what it was when the process began. */
  async retry(): Promise<void> {}

  stop(): void {}

  #open(): Secret | null {
    const read = this.#read
    this.#read = null
    try {
      if (read) this.#secret = read()
    } catch (error) {
      const message = error instanceof Error ? error.message : 'the secret cannot be read'
      // The vault knows its rows by their owners' ids.
      this.#message = message.replaceAll(this.record.id, this.record.name)
    }
    return this.#secret
  }
}

/** The key among a credential's sealed rows; throws when there is none or it cannot be opened. */
export function openKey(rows: readonly SecretRecord[], vault: Vault): Secret {
  const row = rows.find((each) => each.field === 'secret')
  if (!row) throw new Error('the vault holds no secret for it')
  return vault.open(row.sealed, row)
}
