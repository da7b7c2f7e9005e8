import type { CredentialRecord, SecretRecord } from '../../store/store.ts'
import { Secret, type Vault } from '../../vault/vault.ts'
import { digestOf } from '../oauth/tokens.ts'

/** What a source is known to have held when it was last read. */
export type Change = 'first' | 'same' | 'changed'

/**
 * What a source outside the vault held when it was last read, as a digest, so that a key that was replaced there while
 * spillway did not run is noticed at the next start.
 */
export class Seen {
  readonly #record: CredentialRecord
  readonly #vault: Vault
  readonly #field: string
  #row: SecretRecord | null
  #digest: string | null = null

  /** `field` is the vault's. */
  constructor(record: CredentialRecord, from: { vault: Vault; rows: readonly SecretRecord[] }, field = 'seen') {
    this.#record = record
    this.#vault = from.vault
    this.#field = field
    this.#row = from.rows.find((row) => row.field === field) ?? null
  }

  /** How what is there now compares with what was there; `first` when nothing is known. */
  compare(now: string): Change {
    const before = this.#known()
    if (before === null) return 'first'
    return before === digestOf(new Secret(now)) ? 'same' : 'changed'
  }

  /** Remembers what is there now; returns the row to write. */
  note(now: string): SecretRecord {
    this.#row = null
    this.#digest = digestOf(new Secret(now))
    const context = { owner: this.#record.id, field: this.#field, generation: 1 }
    return { ...context, sealed: this.#vault.seal(new Secret(this.#digest), context) }
  }

  #known(): string | null {
    const row = this.#row
    this.#row = null
    if (!row) return this.#digest
    try {
      this.#digest = this.#vault.open(row.sealed, row).reveal()
    } catch {
      // Nothing is known then, which changes nothing.
      this.#digest = null
    }
    return this.#digest
  }
}
