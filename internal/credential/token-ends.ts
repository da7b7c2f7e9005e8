import type { At } from '../pool/pool.ts'
import type { CredentialRecord, SecretRecord } from '../store/store.ts'
import type { Vault } from '../vault/vault.ts'
import type { CredentialContext } from './context.ts'
import { Lifetime, reminderDue } from './oauth/lifetime.ts'
import { LoginHolder } from './oauth/login-holder.ts'
import type { Holder } from './sources/holder.ts'

/** A token that ends and cannot be refreshed, and how many days before its end it is time to say so. */
export interface Reminder {
  readonly credential: CredentialRecord
  readonly endsAt: At
  readonly days: number
}

/** Knows when the tokens end that cannot be refreshed. */
export class TokenEnds {
  readonly #context: CredentialContext
  readonly #vault: Vault
  readonly #holderOf: (id: string) => Holder | undefined
  readonly #lifetimes = new Map<string, Lifetime>()

  constructor(context: CredentialContext, vault: Vault, holderOf: (id: string) => Holder | undefined) {
    this.#context = context
    this.#vault = vault
    this.#holderOf = holderOf
  }

  /** Follows a credential if its provider gives out such tokens. */
  add(record: CredentialRecord, rows: readonly SecretRecord[]): void {
    if (record.provider === 'anthropic')
      this.#lifetimes.set(record.id, new Lifetime(record, { vault: this.#vault, rows }))
  }

  remove(id: string): void {
    this.#lifetimes.delete(id)
  }

  /** When the token of a credential ends; null for keys, for logins that can be refreshed, and while nobody knows. */
  endsAt(id: string): At | null {
    const life = this.#lifetimes.get(id)
    const holder = this.#holderOf(id)
    if (!life || !holder) return null
    try {
      const login = holder instanceof LoginHolder ? holder.lasting() : null
      if (holder instanceof LoginHolder && login === null) return null
      if (login?.expiresAt) return login.expiresAt
      const material = holder.material()
      if (material instanceof Promise) return null
      const now = this.#context.clock.now()
      return life.endOf(material.injection.secret, now, (row) => this.#note(life.record, row))
    } catch {
      return null
    }
  }

  /** The tokens that end soon. */
  reminders(): readonly Reminder[] {
    const now = this.#context.clock.now()
    return [...this.#lifetimes.values()].flatMap(({ record }) => {
      const endsAt = this.endsAt(record.id)
      const days = endsAt === null ? null : reminderDue(endsAt - now)
      return endsAt === null || days === null ? [] : [{ credential: record, endsAt, days }]
    })
  }

  #note(record: CredentialRecord, row: SecretRecord): void {
    if (this.#context.follows) void this.#context.keep(record, [row])
  }
}
