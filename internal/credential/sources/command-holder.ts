import { BlockingFailed } from '../../blocking/blocking.ts'
import type { At } from '../../pool/pool.ts'
import type { CredentialRecord } from '../../store/store.ts'
import { Secret } from '../../vault/vault.ts'
import type { CredentialContext } from '../context.ts'
import type { Material, Renewal } from '../material.ts'
import { type Printed, readPrinted, splitCommand } from './command.ts'
import { type Holder, materialOf, Unreadable } from './holder.ts'
import type { Seen } from './seen.ts'

const runMs = 30_000
/** The worker ends the command at `runMs`; this is for a worker that hangs itself. */
const deadlineMs = runMs + 5_000
/** A secret is replaced this long before its end, or at half of its life if that is shorter. */
const earlyMs = 60_000
/** Commands are not run more often than this, however often an upstream refuses what they print. */
const restMs = 30_000
const backoffMs = { first: 2_000, most: 300_000 }

interface Held {
  readonly secret: Secret
  readonly kind: Printed['kind']
  readonly expiresAt: At | null
  readonly dueAt: At | null
  readonly ranAt: At
}

/** A secret that a command prints: run when it is first needed, again before its end, and after a refusal. */
export class CommandHolder implements Holder {
  readonly record: CredentialRecord
  generation: number
  readonly #command: string
  readonly #first: number
  readonly #seen: Seen
  readonly #context: CredentialContext
  #held: Held | null = null
  #failure: { readonly message: string; readonly retryAt: At; readonly count: number } | null = null
  #running: Promise<void> | null = null

  constructor(
    record: CredentialRecord,
    from: { command: string; first: number; seen: Seen },
    context: CredentialContext,
  ) {
    this.record = record
    this.#first = from.first
    this.generation = from.first - 1
    this.#command = from.command
    this.#seen = from.seen
    this.#context = context
  }

  material(): Material | Promise<Material> {
    const now = this.#context.clock.now()
    const held = this.#held
    const mayRun = !this.#failure || this.#failure.retryAt <= now
    if (held && (held.expiresAt === null || held.expiresAt > now)) {
      if (held.dueAt !== null && held.dueAt <= now && mayRun) void this.#run()
      return this.#material(held)
    }
    if (!mayRun) throw this.#unreadable()
    return this.#run().then(() => {
      if (this.#failure || !this.#held) throw this.#unreadable()
      return this.#material(this.#held)
    })
  }

  async renew(generation: number): Promise<Renewal> {
    const held = this.#held
    if (this.generation > generation) return 'renewed'
    if (held && this.#context.clock.now() - held.ranAt < restMs) return 'unavailable'
    if (this.#failure && this.#failure.retryAt > this.#context.clock.now()) return 'unavailable'
    await this.#run()
    return this.generation > generation ? 'renewed' : 'unavailable'
  }

  held(): Secret | null {
    return this.#held?.secret ?? null
  }

  problem() {
    return this.#failure && { reason: 'unreadable' as const, message: this.#failure.message, broken: false }
  }

  /** Whoever asks for it has mended or replaced something: the command is run at once. */
  async retry(): Promise<void> {
    this.#failure = null
    await this.#run()
  }

  stop(): void {}

  #material(held: Held): Material {
    const now = { secret: held.secret, generation: this.generation }
    return materialOf(this.record, now, held.kind === null ? undefined : { kind: held.kind, accountId: null })
  }

  #unreadable(): Unreadable {
    return new Unreadable(this.#failure?.message ?? 'the command printed nothing', this.#failure?.retryAt ?? null)
  }

  #run(): Promise<void> {
    this.#running ??= this.#runOnce().finally(() => {
      this.#running = null
    })
    return this.#running
  }

  async #runOnce(): Promise<void> {
    const { clock, commands } = this.#context
    try {
      const words = splitCommand(this.#command)
      const printed = readPrinted(await commands.ask('run', { words, timeoutMs: runMs }, { deadlineMs }))
      if (printed.expiresAt !== null && printed.expiresAt <= clock.now())
        throw new Error('the command printed a secret that has already expired')
      this.#adopt(printed)
      this.#failure = null
    } catch (error) {
      const count = (this.#failure?.count ?? 0) + 1
      const pause = Math.min(backoffMs.most, backoffMs.first * 2 ** (count - 1))
      this.#failure = { message: failed(error), retryAt: clock.now() + pause, count }
    }
  }

  #adopt(printed: Printed): void {
    const now = this.#context.clock.now()
    this.#context.check(printed.secret, 'what the command printed')
    const isSame = this.#held?.secret.reveal() === printed.secret
    const life = printed.expiresAt === null ? null : printed.expiresAt - now
    this.#held = {
      secret: new Secret(printed.secret),
      kind: printed.kind,
      expiresAt: printed.expiresAt,
      // A secret that the command caches itself comes back unchanged until it is really near its end.
      dueAt: life === null ? null : now + Math.max(life - earlyMs, life / 2),
      ranAt: now,
    }
    if (!isSame) this.#replaced(printed)
  }

  /** A token that ends is another one each time, for the same account; a key that does not is another key. */
  #replaced({ secret, expiresAt }: Printed): void {
    const change = expiresAt === null ? this.#seen.compare(secret) : 'first'
    const isNew = this.generation >= this.#first || change === 'changed'
    this.generation++
    if (isNew) this.#context.replaced(this.record, expiresAt === null ? 'another' : 'others')
    if (expiresAt === null && this.#context.follows && change !== 'same')
      void this.#context.keep(this.record, [this.#seen.note(secret)])
  }
}

function failed(error: unknown): string {
  if (error instanceof BlockingFailed && error.code === 'ETIMEDOUT')
    return `the command ran longer than ${runMs / 1000} s`
  if (error instanceof BlockingFailed && error.code === 'ENOENT') return 'the command was not found'
  return error instanceof Error ? error.message : 'the command failed'
}
