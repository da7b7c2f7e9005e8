import type { At, Reason } from '../../pool/pool.ts'
import type { CredentialRecord } from '../../store/store.ts'
import { type Secret, unquoted } from '../../vault/vault.ts'
import { type Material, NoMaterial, type Renewal } from '../material.ts'
import type { TokenSet } from '../oauth/tokens.ts'

/** Keeps the secret of one credential, whatever its source. */
export interface Holder {
  readonly record: CredentialRecord
  /** Of the newest secret; a holder that takes this one's place counts on from it. */
  readonly generation: number
  /** As `Credentials.material`. */
  material(): Material | Promise<Material>
  /** As `Credentials.renew`. */
  renew(generation: number): Promise<Renewal>
  /** The key or the tokens that are held now, without asking their source; null when there are none. */
  held(): Secret | TokenSet | null
  /** What is wrong with the secret, as a sentence; null when all is well. `broken`: there is none until a person mends it. */
  problem(): { readonly reason: Reason; readonly message: string; readonly broken: boolean } | null
  /** Looks once more for a secret that had been given up. */
  retry(): Promise<void>
  stop(): void
}

/** What a failed reading means: nobody can use the credential before somebody mends its source. */
export class Unreadable extends NoMaterial {
  constructor(message: string, retryAt: At | null = null) {
    super('unreadable', message, retryAt)
  }
}

export interface KeyForm {
  readonly kind: 'api-key' | 'bearer-token'
  readonly accountId: string | null
}

/** The material of a secret; the secret is revealed here because the injection is the last step before the bytes leave. */
export function materialOf(
  record: CredentialRecord,
  held: { readonly secret: Secret; readonly generation: number },
  form?: KeyForm,
): Material {
  return {
    injection: {
      secret: held.secret.reveal(),
      kind: form?.kind ?? (record.auth === 'oauth' ? 'bearer-token' : 'api-key'),
      accountId: form?.accountId ?? null,
      header: record.header,
    },
    generation: held.generation,
  }
}

/**
 * The first line that is not blank, without quotes around it; throws Unreadable for what cannot be a key, in words that
 * quote nothing of it.
 */
export function keyLine(text: string, where: string): string {
  const line = text.split(/\r?\n/).find((each) => each.trim() !== '')
  const key = unquoted(line ?? '')
  if (key === '') throw new Unreadable(`${where} is empty`)
  const name = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=[^=]/.exec(key)?.[1]
  if (name !== undefined) throw new Unreadable(`${where} begins with ${name}=: give the key alone`)
  if (/\s/.test(key))
    throw new Unreadable(`${where} holds a blank: give the key alone, several with commas between them`)
  if (/^["']|["']$/.test(key)) throw new Unreadable(`${where} has a quote at its beginning or end`)
  if (!/^[\x21-\x7e]+$/.test(key)) throw new Unreadable(`${where} holds characters that no key has`)
  return key
}
