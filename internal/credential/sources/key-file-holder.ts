import { BlockingFailed } from '../../blocking/blocking.ts'
import type { CredentialRecord } from '../../store/store.ts'
import { Secret } from '../../vault/vault.ts'
import type { CredentialContext } from '../context.ts'
import type { Material, Renewal } from '../material.ts'
import { modeWarning, readingFailed } from '../worker/reading.ts'
import { type Holder, materialOf, Unreadable } from './holder.ts'
import type { Seen } from './seen.ts'

const readMs = 2_000

/** A key in a file: kept in memory, read again when the file changes. */
export class KeyFileHolder implements Holder {
  readonly record: CredentialRecord
  generation: number
  readonly #path: string
  readonly #keyIn: (text: string) => string
  readonly #seen: Seen
  readonly #context: CredentialContext
  readonly #unwatch: () => void
  #secret: Secret | null = null
  #failure: Unreadable | null = null
  #warning: string | null = null
  #reading: Promise<void> | null = null
  #stopped = false

  constructor(
    record: CredentialRecord,
    from: { path: string; first: number; keyIn: (text: string) => string; seen: Seen },
    context: CredentialContext,
  ) {
    this.record = record
    this.generation = from.first - 1
    this.#path = from.path
    this.#keyIn = from.keyIn
    this.#seen = from.seen
    this.#context = context
    this.#unwatch = context.watch.add(from.path, () => void this.read())
  }

  material(): Material | Promise<Material> {
    if (this.#secret) return this.#material(this.#secret)
    if (this.#failure) throw this.#failure
    return this.read().then(() => {
      if (this.#secret) return this.#material(this.#secret)
      throw this.#failure ?? new Unreadable(`${this.#path} could not be read`)
    })
  }

  async renew(generation: number): Promise<Renewal> {
    if (this.generation <= generation) await this.read()
    return this.generation > generation ? 'renewed' : 'unavailable'
  }

  held(): Secret | null {
    return this.#secret
  }

  problem() {
    const reason = 'unreadable' as const
    if (this.#failure) return { reason, message: this.#failure.message, broken: true }
    return this.#warning === null ? null : { reason, message: this.#warning, broken: false }
  }

  retry(): Promise<void> {
    return this.read()
  }

  stop(): void {
    this.#stopped = true
    this.#unwatch()
  }

  /** Reads the file, one reading at a time; never rejects. */
  read(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null
    })
    return this.#reading
  }

  async #read(): Promise<void> {
    try {
      const file = await this.#context.files.ask('read', { path: this.#path }, { deadlineMs: readMs })
      this.#context.watch.seen(this.#path, file.stamp)
      this.#warning = modeWarning(this.#path, file.mode)
      this.#adopt(this.#keyIn(file.text))
    } catch (error) {
      if (error instanceof BlockingFailed && error.code !== 'ENOENT') this.#context.watch.unseen(this.#path)
      const failure = error instanceof Unreadable ? error : new Unreadable(readingFailed(this.#path, error))
      // A mount that fails or hangs says nothing about the key: the last one read goes on serving.
      if (this.#secret) this.#warning = `${failure.message}; the key that was read last goes on serving`
      else this.#fail(failure)
    }
  }

  #material(secret: Secret): Material {
    return materialOf(this.record, { secret, generation: this.generation })
  }

  #adopt(key: string): void {
    this.#context.check(key, this.#path)
    const before = this.#secret
    const failed = this.#failure
    this.#failure = null
    if (before?.reveal() === key) return
    this.#secret = new Secret(key)
    this.generation++
    if (this.#stopped) return
    const change = this.#seen.compare(key)
    if (before || failed || change === 'changed') this.#context.replaced(this.record, 'another')
    if (this.#context.follows && change !== 'same') void this.#context.keep(this.record, [this.#seen.note(key)])
  }

  #fail(failure: Unreadable): void {
    const first = this.#failure === null
    this.#failure = failure
    if (first && !this.#stopped) this.#context.lapsed(this.record, this.#context.engineView(this.record), 'unreadable')
  }
}
