import { existsSync, readFileSync, rmSync } from 'node:fs'
import { Refusal } from '../pool/pool.ts'
import { keptFingerprint } from '../store/store.ts'
import { createKeyFile, readKeyFile, replaceKeyFile, Secret, Vault } from '../vault/vault.ts'
import type { Places } from './places.ts'

/** A secret of the configuration: the first line of a file, or an environment variable; null when neither is named. */
export function secretFrom(
  what: string,
  from: { file: string | null; variable: string | null },
  env: Readonly<Record<string, string | undefined>>,
): Secret | null {
  if (from.file !== null) return fromFile(what, from.file)
  if (from.variable === null) return null
  const value = env[from.variable]?.trim()
  if (value) return new Secret(value)
  throw new Refusal('invalid', `${what}: the environment variable ${from.variable} is not set`)
}

/** The whole text of a PEM file. */
export function pemFrom(what: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw unreadable(what, file, error)
  }
}

/**
 * The master key of the installation; a new one is made only where there is no database yet that an old one protects.
 * Throws a VaultError that says what is wrong with the file and what to do.
 */
export function masterKeyOf(places: Places, database: string | null): Uint8Array {
  endRotation(places, database)
  const isNew = !existsSync(places.masterKey) && (database === null || !existsSync(database))
  return isNew ? createKeyFile(places.masterKey) : readKeyFile(places.masterKey)
}

/** Where the next master key lies while one is put in the place of another. */
export function nextKeyOf({ masterKey }: Places): string {
  return `${masterKey}.next`
}

/** Ends a rotation that was cut off: the store says which of the two keys it belongs to. */
function endRotation(places: Places, database: string | null): void {
  const next = nextKeyOf(places)
  if (!existsSync(next)) return
  const kept = database === null ? null : keptFingerprint(database)
  if (kept !== null && new Vault(readKeyFile(next)).keyId === kept) replaceKeyFile(next, places.masterKey)
  else rmSync(next)
}

function fromFile(what: string, file: string): Secret {
  let text: string
  try {
    text = readFileSync(file, 'utf8').split('\n', 1)[0]?.trim() ?? ''
  } catch (error) {
    throw unreadable(what, file, error)
  }
  if (text === '') throw new Refusal('invalid', `${what}: the first line of ${file} is empty`)
  return new Secret(text)
}

function unreadable(what: string, file: string, error: unknown): Refusal {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'it cannot be read'
  const message = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`
  return new Refusal('invalid', `${what}: ${file} ${message}`)
}
