import { isLoginToken } from '../../dialect/dialect.ts'
import type { At } from '../../pool/pool.ts'
import type { CredentialRecord, SecretRecord } from '../../store/store.ts'
import { Secret, type Vault } from '../../vault/vault.ts'
import { digestOf } from './tokens.ts'

const dayMs = 86_400_000
/** How long a token of `claude setup-token` lives, which says so nowhere. */
const lifeMs = 365 * dayMs
const field = 'token-seen'

/** How many days before its end a token is told of: once at each. */
export const reminderDays = [30, 7, 1] as const

/** Which reminder of a token is due with so much of its life left, in ms; null: none, or it has ended. */
export function reminderDue(leftMs: number): (typeof reminderDays)[number] | null {
  if (leftMs <= 0) return null
  return [...reminderDays].reverse().find((days) => leftMs <= days * dayMs) ?? null
}

/** When a login token was first seen here, and so when it ends. */
export class Lifetime {
  readonly record: CredentialRecord
  readonly #vault: Vault
  #known: { readonly digest: string; readonly since: At } | null

  constructor(record: CredentialRecord, from: { vault: Vault; rows: readonly SecretRecord[] }) {
    this.record = record
    this.#vault = from.vault
    this.#known = this.#read(from.rows)
  }

  /**
   * When the token ends; null for a secret that is none. `note` gets the row to write when it is seen for the first time.
   */
  endOf(secret: string, now: At, note: (row: SecretRecord) => void): At | null {
    if (!isLoginToken(secret)) return null
    const digest = digestOf(new Secret(secret))
    if (this.#known?.digest !== digest) {
      this.#known = { digest, since: now }
      const context = { owner: this.record.id, field, generation: 1 }
      note({ ...context, sealed: this.#vault.seal(new Secret(`${digest} ${now}`), context) })
    }
    return this.#known.since + lifeMs
  }

  #read(rows: readonly SecretRecord[]) {
    const row = rows.find((each) => each.field === field)
    if (!row) return null
    try {
      const [digest = '', since] = this.#vault.open(row.sealed, row).reveal().split(' ')
      return { digest, since: Number(since) }
    } catch {
      return null
    }
  }
}
