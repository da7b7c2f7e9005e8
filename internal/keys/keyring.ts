import { timingSafeEqual } from 'node:crypto'
import type { KeyRecord } from '../store/store.ts'
import { digestOf, idOf } from './mint.ts'

/** Whether a client may use a pool, and with which key; otherwise why not. */
export type KeyCheck =
  | { readonly ok: true; readonly key: KeyRecord }
  | { readonly ok: false; readonly why: 'missing' | 'unknown' | 'not-allowed' }

/** All client keys, in memory. It stores nothing: whoever adds or revokes writes the record to the Store as well. */
export interface Keyring {
  /** Judges what a client presented (null or empty: nothing) for a pool. A known key costs one look into a map. */
  check(pool: string, presented: string | null): KeyCheck
  /** Takes up a new or changed record. */
  add(record: KeyRecord): void
  /** The record, revoked as of `now`; it is refused from this call on. undefined: no such key, or revoked before. */
  revoke(id: string, now: number): KeyRecord | undefined
  /** Every record, revoked ones too, in the order of their creation. */
  list(): readonly KeyRecord[]
}

interface Entry {
  readonly digest: Buffer
  readonly allows: ReadonlySet<string> | null
  /** Made once, so that the way of a request allocates nothing. */
  readonly granted: KeyCheck
}

const missing: KeyCheck = { ok: false, why: 'missing' }
const unknown: KeyCheck = { ok: false, why: 'unknown' }
const notAllowed: KeyCheck = { ok: false, why: 'not-allowed' }

/** Only accepted keys are remembered, so guesses take no room; beyond this many the oldest is hashed again when it returns. */
const mostRemembered = 10_000

/** A keyring of the stored records. */
export function createKeyring(records: readonly KeyRecord[]): Keyring {
  const ring = new LiveKeyring()
  for (const record of records) ring.add(record)
  return ring
}

class LiveKeyring implements Keyring {
  readonly #records = new Map<string, KeyRecord>()
  readonly #entries = new Map<string, Entry>()
  /** What was presented before and found good → its entry. */
  readonly #remembered = new Map<string, Entry>()

  check(pool: string, presented: string | null): KeyCheck {
    if (!presented) return missing
    const entry = this.#remembered.get(presented) ?? this.#find(presented)
    if (!entry) return unknown
    return entry.allows === null || entry.allows.has(pool) ? entry.granted : notAllowed
  }

  add(record: KeyRecord): void {
    this.#forget(record.id)
    this.#records.set(record.id, record)
    if (record.revokedAt !== null) return
    this.#entries.set(record.id, {
      digest: Buffer.from(record.digest, 'hex'),
      allows: record.pools && new Set(record.pools),
      granted: { ok: true, key: record },
    })
  }

  revoke(id: string, now: number): KeyRecord | undefined {
    const record = this.#records.get(id)
    if (!record || record.revokedAt !== null) return undefined
    const revoked = { ...record, revokedAt: now }
    this.add(revoked)
    return revoked
  }

  list(): readonly KeyRecord[] {
    return [...this.#records.values()].sort((a, b) => a.createdAt - b.createdAt)
  }

  #find(presented: string): Entry | undefined {
    const entry = this.#entries.get(idOf(presented) ?? '')
    const digest = digestOf(presented)
    if (!entry || entry.digest.length !== digest.length || !timingSafeEqual(entry.digest, digest)) return undefined
    this.#remember(presented, entry)
    return entry
  }

  #remember(presented: string, entry: Entry): void {
    if (this.#remembered.size >= mostRemembered) {
      for (const oldest of this.#remembered.keys()) {
        this.#remembered.delete(oldest)
        break
      }
    }
    this.#remembered.set(presented, entry)
  }

  #forget(id: string): void {
    const entry = this.#entries.get(id)
    if (!entry) return
    this.#entries.delete(id)
    for (const [presented, remembered] of this.#remembered) {
      if (remembered === entry) this.#remembered.delete(presented)
    }
  }
}
