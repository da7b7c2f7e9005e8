import { createHash, randomBytes } from 'node:crypto'
import type { KeyRecord } from '../store/store.ts'
import { Secret } from '../vault/vault.ts'

const prefix = 'sk-spillway-'
/**
 * `sk-spillway-<id>-<secret>`: `sk-` because some clients refuse what does not begin so, our name so that people and
 * secret scanners know it, an id to look it up by, and 256 random bits in base64url. All characters may stand in a header,
 * a query and a WebSocket subprotocol.
 */
const form = new RegExp(`^${prefix}([0-9a-f]{16})-[A-Za-z0-9_-]{43}$`)
const keyLength = prefix.length + 16 + 1 + 43

/** A new client key for the pools (null: all), with the record to store; the key itself is kept nowhere. */
export function mintKey(
  name: string,
  pools: readonly string[] | null,
  now: number,
): { readonly record: KeyRecord; readonly key: Secret } {
  const id = randomBytes(8).toString('hex')
  const key = `${prefix}${id}-${randomBytes(32).toString('base64url')}`
  const record = { id, name, digest: digestOf(key).toString('hex'), pools, createdAt: now, revokedAt: null }
  return { record, key: new Secret(key) }
}

/** The id in what a client presented; null when it does not look like a client key. */
export function idOf(presented: string): string | null {
  return form.exec(presented)?.[1] ?? null
}

/** Whether a text may hold a client key, so that it is not to leave this machine. */
export function holdsKey(text: string): boolean {
  return text.length >= keyLength && text.includes(prefix)
}

/** The SHA-256 of a whole client key; a slow hash would protect nothing, as 256 random bits cannot be guessed. */
export function digestOf(key: string): Buffer {
  return createHash('sha256').update(key, 'utf8').digest()
}
