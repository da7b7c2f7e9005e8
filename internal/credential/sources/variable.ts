import { unquoted } from '../../vault/vault.ts'
import { keyLine, Unreadable } from './holder.ts'

/** The environment of the process. */
export type Variables = Readonly<Record<string, string | undefined>>

/** A reference such as `OPENAI_API_KEY#2`: the variable, and which of its keys, from 1. Without a number it is the first. */
export function referenceOf(reference: string): { readonly name: string; readonly number: number } {
  const [name = '', number] = reference.split('#')
  return { name, number: number === undefined ? 1 : Number(number) }
}

/**
 * The keys in the value of a variable, separated by commas or line ends, each with or without quotes, as are all together.
 * Throws Unreadable for one that cannot be a key; it names the variable and the key's number and quotes nothing.
 */
export function keysIn(value: string, name: string): readonly string[] {
  const parts = unquoted(value)
    .split(/[,\r\n]+/)
    .map(unquoted)
    .filter((part) => part !== '')
  const where = (at: number) =>
    parts.length === 1 ? `the environment variable ${name}` : `key ${at + 1} of the environment variable ${name}`
  return parts.map((part, at) => keyLine(part, where(at)))
}

const split = new WeakMap<Variables, Map<string, readonly string[]>>()

/** The keys of a variable, taken apart once, as each of its credentials asks for one of them; throws Unreadable. */
export function keysOf(env: Variables, name: string): readonly string[] {
  const known = split.get(env) ?? new Map<string, readonly string[]>()
  split.set(env, known)
  const keys = known.get(name) ?? keysIn(env[name] ?? '', name)
  known.set(name, keys)
  return keys
}

/** The key that a reference names; throws Unreadable. */
export function readVariable(env: Variables, reference: string): string {
  const { name, number } = referenceOf(reference)
  const keys = keysOf(env, name)
  if (keys.length === 0) throw new Unreadable(`the environment variable ${name} is not set`)
  const key = keys[number - 1]
  if (key !== undefined) return key
  throw new Unreadable(
    `the environment variable ${name} has no value number ${number}: it holds ${keys.length === 1 ? 'one key' : `${keys.length} keys`}`,
  )
}
