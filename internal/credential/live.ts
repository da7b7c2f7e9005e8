import type { Cancel, Clock } from '../clock/clock.ts'
import type { Reason } from '../pool/pool.ts'
import type { CredentialRecord, SecretRecord } from '../store/store.ts'
import type { Vault } from '../vault/vault.ts'
import { Desk } from './desk.ts'
import { FixedHolder, openKey, readVariable } from './fixed.ts'
import type { Holder } from './holder.ts'
import { KeyFileHolder } from './keyfile.ts'
import { type Credentials, type Material, NoMaterial, type Verdicts } from './material.ts'
import { CommandHolder } from './printed.ts'
import type { Surroundings } from './surroundings.ts'
import { Watch } from './watch.ts'

export interface CredentialOptions {
  readonly clock: Clock
  readonly vault: Vault
  readonly env: Readonly<Record<string, string | undefined>>
  readonly verdicts: Verdicts
  /** Is told of errors that concern no request. */
  readonly warn: (message: string, credential: string, error: unknown) => void
  /** Between 0 and 1, for jitter. */
  readonly random: () => number
}

/** A credential without a usable secret, or one whose file others can read. */
export interface Problem {
  readonly credential: string
  readonly reason: Reason
  readonly message: string
}

export interface LiveCredentials extends Credentials {
  /** Begins to keep credentials (at the start, or a new one), or keeps one of the same id with its new record and secret. */
  add(records: readonly CredentialRecord[], secrets: readonly SecretRecord[]): void
  remove(id: string): void
  /** Resolves when every source has been read once, or has had its time. */
  ready(): Promise<void>
  problems(): readonly Problem[]
  /** Ends workers and timers. false: a worker hangs in the file system, and only the end of the process ends it. */
  stop(): Promise<boolean>
}

/** The credentials of this process; workers are started by the first credential that needs one. */
export function createCredentials(options: CredentialOptions): LiveCredentials {
  const around = surround(options)
  const holders = new Map<string, Holder>()
  const pending = new Set<Promise<void>>()
  const opening = new Opening(around, (holder) => holders.get(holder.record.id) === holder)

  function hold(record: CredentialRecord, rows: readonly SecretRecord[], first: number): Holder {
    const { source } = record
    switch (source.kind) {
      case 'vault':
        return new FixedHolder(record, first, () => openKey(rows, options.vault))
      case 'env':
        return new FixedHolder(record, first, () => readVariable(options.env, source.variable))
      case 'command':
        return new CommandHolder(record, { command: source.command, first }, around)
      case 'file': {
        const holder = new KeyFileHolder(record, { path: source.path, first }, around)
        const reading = holder.read().finally(() => pending.delete(reading))
        pending.add(reading)
        return holder
      }
    }
  }

  function held(credential: CredentialRecord): Holder {
    const holder = holders.get(credential.id)
    if (!holder) throw new NoMaterial('unreadable', `${credential.name} is not kept here`)
    return holder
  }

  return {
    material: (credential): Material | Promise<Material> => held(credential).material(),
    renew: async (credential, generation) => held(credential).renew(generation),
    add(records, secrets) {
      const byOwner = grouped(secrets)
      for (const record of records) {
        const former = holders.get(record.id)
        former?.stop()
        const holder = hold(record, byOwner.get(record.id) ?? [], (former?.generation ?? 0) + 1)
        holders.set(record.id, holder)
        if (holder instanceof FixedHolder) opening.add(holder)
      }
    },
    remove(id) {
      holders.get(id)?.stop()
      holders.delete(id)
    },
    async ready() {
      await Promise.all(pending)
    },
    problems: () =>
      [...holders.values()].flatMap((holder) => {
        const problem = holder.problem()
        return problem ? [{ credential: holder.record.name, ...problem }] : []
      }),
    async stop() {
      for (const holder of holders.values()) holder.stop()
      opening.stop()
      around.watch.stop()
      const ended = await Promise.all([around.files.stop(), around.commands.stop()])
      return ended.every(Boolean)
    },
  }
}

/** Opens fixed secrets little by little, so that one that cannot be opened is reported before somebody needs it. */
class Opening {
  readonly #around: Surroundings
  readonly #isKept: (holder: FixedHolder) => boolean
  readonly #waiting: FixedHolder[] = []
  #armed: Cancel | null = null

  constructor(around: Surroundings, isKept: (holder: FixedHolder) => boolean) {
    this.#around = around
    this.#isKept = isKept
  }

  add(holder: FixedHolder): void {
    this.#waiting.push(holder)
    this.#armed ??= this.#around.clock.after(0, () => this.#some())
  }

  stop(): void {
    this.#armed?.()
    this.#waiting.length = 0
  }

  #some(): void {
    // About 2 ms of decryption, then others may run.
    for (const holder of this.#waiting.splice(0, 100)) {
      if (this.#isKept(holder) && holder.problem()) this.#around.unreadable(holder.record)
    }
    this.#armed = this.#waiting.length > 0 ? this.#around.clock.after(0, () => this.#some()) : null
  }
}

function surround(options: CredentialOptions): Surroundings {
  const { clock, random, verdicts, warn } = options
  const files = new Desk(clock)
  const settle = (record: CredentialRecord, verdict: Promise<void>) =>
    void verdict.catch((error: unknown) => warn('the engine could not be told', record.name, error))
  return {
    clock,
    random,
    files,
    commands: new Desk(clock),
    watch: new Watch(clock, files),
    replaced: (record) => settle(record, verdicts.replaced(record)),
    unreadable(record) {
      const standing = verdicts.standing(record)
      if (standing && standing.health !== 'needs-login')
        settle(record, verdicts.needsLogin(record, standing.generation, 'unreadable'))
    },
  }
}

function grouped(secrets: readonly SecretRecord[]): Map<string, SecretRecord[]> {
  const byOwner = new Map<string, SecretRecord[]>()
  for (const row of secrets) {
    const rows = byOwner.get(row.owner)
    if (rows) rows.push(row)
    else byOwner.set(row.owner, [row])
  }
  return byOwner
}
