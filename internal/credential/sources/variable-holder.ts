import type { CredentialRecord, SecretRecord } from '../../store/store.ts'
import { Secret, type Vault } from '../../vault/vault.ts'
import type { CredentialContext } from '../context.ts'
import type { Material, Renewal } from '../material.ts'
import { openKey } from './fixed-holder.ts'
import { type Holder, materialOf, Unreadable } from './holder.ts'
import { Seen } from './seen.ts'
import { keysOf, readVariable, referenceOf, type Variables } from './variable.ts'

interface From {
  readonly variable: string
  /** A sealed copy serves while the variable is not set. */
  readonly kept: boolean
  readonly env: Variables
  readonly vault: Vault
  readonly rows: readonly SecretRecord[]
  readonly first: number
}

/**
 * A key in an environment variable, which is what it was when the process began. It is looked at when it is first asked
 * for. A value that differs from the one at the last start is another key.
 */
export class VariableHolder implements Holder {
  readonly record: CredentialRecord
  readonly generation: number
  readonly #from: From
  readonly #context: CredentialContext
  readonly #own: Seen
  readonly #whole: Seen
  #opened = false
  #secret: Secret | null = null
  #problem: string | null = null
  #hasChanged = false
  #keeping: Promise<void> = Promise.resolve()

  constructor(record: CredentialRecord, from: From, context: CredentialContext) {
    this.record = record
    this.generation = from.first
    this.#from = from
    this.#context = context
    this.#own = new Seen(record, from)
    this.#whole = new Seen(record, from, 'seen-variable')
  }

  material(): Material {
    const secret = this.#open()
    if (!secret) throw new Unreadable(this.#problem ?? 'the variable could not be read')
    return materialOf(this.record, { secret, generation: this.generation })
  }

  async renew(generation: number): Promise<Renewal> {
    return this.#open() && this.generation > generation ? 'renewed' : 'unavailable'
  }

  held(): Secret | null {
    return this.#open()
  }

  problem() {
    const secret = this.#open()
    const message = this.#problem
    return message === null ? null : { reason: 'unreadable' as const, message, broken: secret === null }
  }

  /** It is what it was when the process began. */
  async retry(): Promise<void> {}

  stop(): void {}

  /** The variable, when it is another than at the last start; null when it is not, or nobody knows. */
  get changedVariable(): string | null {
    this.#open()
    return this.#hasChanged ? referenceOf(this.#from.variable).name : null
  }

  /** Resolves when what was read is kept; never rejects. */
  kept(): Promise<void> {
    this.#open()
    return this.#keeping
  }

  #open(): Secret | null {
    if (this.#opened) return this.#secret
    this.#opened = true
    const { env, variable, kept } = this.#from
    const { name, number } = referenceOf(variable)
    try {
      const key = readVariable(env, variable)
      this.#context.check(key, `the environment variable ${name}`)
      this.#take(key, keysOf(env, name))
    } catch (error) {
      const said = error instanceof Error ? error.message : 'the variable could not be read'
      // Whoever reads this may have it set in the shell before them.
      const why = this.#context.follows && countOf(env, name) === 0 ? `${said} where spillway serve runs` : said
      const isWithdrawn = countOf(env, name) > 0 && number > countOf(env, name)
      if (!kept || isWithdrawn || !this.#openSealed()) this.#problem = why
      else if ((env[name] ?? '').trim() !== '') this.#problem = `${why}; the key that is kept sealed goes on serving`
    }
    return this.#secret
  }

  #take(key: string, all: readonly string[]): void {
    const { kept, variable } = this.#from
    const whole = all.join(',')
    const change = this.#own.compare(key)
    const wasOnlyKey = change === 'first' && !variable.includes('#') && all.length > 1
    this.#hasChanged = this.#whole.compare(whole) === 'changed' || wasOnlyKey
    // A person may have put another key in the place of the variable's; that stays until the variable changes.
    const stays = kept && change !== 'changed' && this.#openSealed()
    if (!stays) this.#secret = new Secret(key)
    if (change === 'changed') this.#context.replaced(this.record, 'another')
    if (!this.#context.follows || (change === 'same' && this.#whole.compare(whole) === 'same')) return
    const sealed = kept && !stays ? [this.#seal(key)] : []
    const rows = [this.#own.note(key), this.#whole.note(whole), ...sealed]
    this.#keeping = this.#context.keep(this.record, rows)
  }

  #openSealed(): boolean {
    const { rows, vault } = this.#from
    try {
      this.#secret = openKey(rows, vault)
      return true
    } catch {
      return false
    }
  }

  #seal(key: string): SecretRecord {
    const context = { owner: this.record.id, field: 'secret', generation: 1 }
    return { ...context, sealed: this.#from.vault.seal(new Secret(key), context) }
  }
}

/** How many keys the variable holds; 0 when it cannot be read. */
function countOf(env: Variables, name: string): number {
  try {
    return keysOf(env, name).length
  } catch {
    return 0
  }
}
