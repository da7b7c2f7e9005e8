import type { CredentialRecord, SecretRecord } from '../store/store.ts'
import { Secret, type Vault } from '../vault/vault.ts'
import { type Holder, keyLine, materialOf, Unreadable } from './holder.ts'
import type { Material, Renewal } from './material.ts'

/**
 * A secret that is here from the beginning: sealed in the vault's rows, or in the daemon's environment. It is opened when it
 * is first asked for, because opening 10,000 of them takes longer than a start may.
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
      this.#message = error instanceof Error ? error.message : 'the secret cannot be read'
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

/**
 * The value of an environment variable. `NAME#2` is the second of comma-separated values; the daemon's environment
 * is what it was when the daemon started. Throws Unreadable.
 */
export function readVariable(env: Variables, variable: string): Secret {
  const [name = '', part] = variable.split('#')
  const value = env[name]
  if (value === undefined || value.trim() === '') throw new Unreadable(`the environment variable ${name} is not set`)
  if (part === undefined) return new Secret(keyLine(value, `the environment variable ${name}`))
  const one = partsOf(env, name, value)[Number(part) - 1]
  if (one === undefined) throw new Unreadable(`the environment variable ${name} has no value number ${part}`)
  return new Secret(keyLine(one, `the environment variable ${name}`))
}

type Variables = Readonly<Record<string, string | undefined>>

const split = new WeakMap<Variables, Map<string, readonly string[]>>()

/** The comma-separated parts of a variable, split once: each of its credentials asks for one of them. */
function partsOf(env: Variables, name: string, value: string): readonly string[] {
  const known = split.get(env) ?? new Map<string, readonly string[]>()
  split.set(env, known)
  const parts = known.get(name) ?? value.split(',').flatMap((each) => each.trim() || [])
  known.set(name, parts)
  return parts
}
