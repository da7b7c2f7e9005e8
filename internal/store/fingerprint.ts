import { StoreError } from './fault.ts'

/** The master key, as far as a store knows it. */
export interface StoreKey {
  /** Its fingerprint, 16 hexadecimal digits that tell nothing of it; sealed secrets name it, too. */
  readonly keyId: string
  /** 32 bytes derived from it that sign the ends of the audit chain. */
  readonly auditKey: Uint8Array
}

/** The entry of `meta` under which the fingerprint is kept. */
export const fingerprintEntry = 'master-key'

/** The entry of `meta` that a store has while it is copied into: where it is copied from. */
export const copyEntry = 'copied-from'

/** The refusal to use a store of which some rows may be missing. */
export function unfinished(store: string, from: string): StoreError {
  return new StoreError('unfinished', `${store} is not complete: copying from ${from} has not ended`, {
    hint: 'Nothing was written. Start the same copy again, which goes on where it was.',
  })
}

/** What shows which master key a store was written with. */
export interface Traces {
  /** The fingerprint that it keeps; null in a store that an earlier version wrote. */
  readonly kept: string | null
  /** How many secrets are sealed under which key, most first. */
  readonly sealed: readonly { readonly keyId: string; readonly count: number }[]
  /** Whether its audit chain is signed, and at neither end by the key at hand. */
  readonly signedByAnother: boolean
}

/**
 * The fingerprint of the other key that a store belongs to, or null when it belongs to the one at hand. Without a kept
 * fingerprint it belongs to the key that most of its secrets are sealed under, and without secrets to the one that signed
 * its audit chain, which cannot be named.
 */
export function otherKey({ kept, sealed, signedByAnother }: Traces, keyId: string): string | null {
  if (kept !== null) return kept === keyId ? null : kept
  const [most] = sealed
  if (!most) return signedByAnother ? 'unknown' : null
  const ours = sealed.find((each) => each.keyId === keyId)?.count ?? 0
  return ours >= most.count ? null : most.keyId
}

/** Why that store cannot be used with this key. */
export function belongsToAnother(store: string, theirs: string, ours: string): StoreError {
  return new StoreError('other-key', `${store} belongs to master key ${theirs}, and the one at hand is ${ours}`, {
    hint: 'Nothing was written. Put back the key file that belongs to it, or restore both from the same backup.',
  })
}
