import { join } from 'node:path'
import type { Cancel } from '../clock/clock.ts'
import { type At, Refusal } from '../pool/pool.ts'
import type { CredentialRecord, SecretRecord, Write } from '../store/store.ts'
import type { LiveCredentials, Problem } from './api.ts'
import { type CredentialContext, type CredentialOptions, credentialContext } from './context.ts'
import { endpointReader, holderOf, type Keeping } from './holders.ts'
import { type Identity, identityOf } from './identity.ts'
import { type Material, NoMaterial } from './material.ts'
import { LoginHolder } from './oauth/login-holder.ts'
import { Logins } from './oauth/logins.ts'
import type { TokenSet } from './oauth/tokens.ts'
import { beginLogin } from './sign-in/flow.ts'
import { type FoundLogin, findLogin, type Tool } from './sign-in/import.ts'
import { loginEndpointOf } from './sign-in/login-endpoints.ts'
import type { LoginFlow } from './sign-in/login-flow.ts'
import { FixedHolder } from './sources/fixed-holder.ts'
import type { Holder } from './sources/holder.ts'
import { KeyFileHolder } from './sources/key-file-holder.ts'
import { VariableHolder } from './sources/variable-holder.ts'
import { type Reminder, TokenEnds } from './token-ends.ts'
import { fileCalls, lockCalls } from './worker/tasks.ts'

/** The credentials of this process; workers are started by the first credential that needs one. */
export function createCredentials(options: CredentialOptions): LiveCredentials {
  return new Keeper(options)
}

class Keeper implements LiveCredentials {
  readonly #options: CredentialOptions
  readonly #context: CredentialContext
  readonly #calls: readonly { stop(): Promise<boolean> }[]
  readonly #holders = new Map<string, Holder>()
  readonly #logins: Logins
  readonly #ends: TokenEnds
  readonly #readings = new Set<Promise<void>>()
  /** Opened little by little, so that a secret that cannot be opened is reported before somebody needs it. */
  readonly #unopened: Holder[] = []
  #opening: Cancel | null = null

  constructor(options: CredentialOptions) {
    this.#options = options
    const { clock } = options
    const calls = { files: fileCalls(clock), commands: fileCalls(clock), locks: lockCalls(clock) }
    this.#calls = Object.values(calls)
    this.#logins = new Logins(clock)
    this.#context = credentialContext(options, { ...calls, wake: (at) => this.#logins.wake(at) })
    this.#ends = new TokenEnds(this.#context, options.vault, (id) => this.#holders.get(id))
  }

  material(credential: CredentialRecord): Material | Promise<Material> {
    return this.#holder(credential).material()
  }

  async renew(credential: CredentialRecord, generation: number) {
    return this.#holder(credential).renew(generation)
  }

  async current(credential: CredentialRecord) {
    const holder = this.#holder(credential)
    return holder instanceof LoginHolder ? holder.current() : { ...(await holder.material()), expiresAt: null }
  }

  async retry(credential: CredentialRecord): Promise<void> {
    await this.#holder(credential).retry()
  }

  findLogin(tool: Tool, path: string): Promise<FoundLogin> {
    return findLogin(this.#context.files, tool, path)
  }

  async beginLogin(credential: CredentialRecord): Promise<LoginFlow> {
    const holder = this.#holders.get(credential.id)
    if (holder instanceof LoginHolder) await holder.checkPlace()
    const settings = this.#options.oauth()
    const asked = await endpointReader(this.#keeping(), credential)().catch((error: unknown) => {
      throw new Refusal('conflict', error instanceof Error ? error.message : 'no authorization server is known')
    })
    const loginEndpoint = loginEndpointOf(asked.endpoint.login, settings[asked.endpoint.login], asked.endpoint.scope)
    return beginLogin({ clock: this.#options.clock, outbound: this.#context.outbound, ...asked, loginEndpoint })
  }

  async install(
    credential: CredentialRecord,
    tokens: TokenSet,
    commit: (writes: readonly Write[]) => Promise<void>,
  ): Promise<void> {
    const holder = this.#holder(credential)
    if (!(holder instanceof LoginHolder))
      throw new Refusal('conflict', `${credential.name} is not a login`, 'its secret is a key that does not expire')
    await holder.install(tokens, commit)
  }

  add(records: readonly CredentialRecord[], secrets: readonly SecretRecord[]): void {
    const byOwner = grouped(secrets)
    const keeping = this.#keeping()
    for (const record of records) {
      const former = this.#holders.get(record.id)
      this.remove(record.id)
      const rows = byOwner.get(record.id) ?? []
      this.#keep(holderOf(keeping, record, { rows, first: (former?.generation ?? 0) + 1 }))
      this.#ends.add(record, rows)
    }
  }

  remove(id: string): void {
    const holder = this.#holders.get(id)
    holder?.stop()
    this.#holders.delete(id)
    this.#ends.remove(id)
    if (holder instanceof LoginHolder) this.#logins.remove(holder)
  }

  async reread(credential: CredentialRecord, secrets: readonly SecretRecord[]): Promise<void> {
    const holder = this.#holders.get(credential.id)
    if (holder instanceof LoginHolder) await holder.read()
    else this.add([credential], secrets)
  }

  async ready(): Promise<void> {
    await Promise.all(this.#readings)
  }

  endsAt(credential: CredentialRecord): At | null {
    return this.#ends.endsAt(credential.id)
  }

  reminders(): readonly Reminder[] {
    return this.#ends.reminders()
  }

  changedVariables(): ReadonlySet<string> {
    const names = [...this.#holders.values()].map((holder) =>
      holder instanceof VariableHolder ? holder.changedVariable : null,
    )
    return new Set(names.filter((name) => name !== null))
  }

  problems(): readonly Problem[] {
    return [...this.#holders.values()].flatMap((holder) => problemsOf(holder))
  }

  problemOf(credential: CredentialRecord): Problem | null {
    const holder = this.#holders.get(credential.id)
    return (holder && problemsOf(holder)[0]) ?? null
  }

  identityOf(credential: CredentialRecord): Identity {
    const held = this.#holders.get(credential.id)?.held() ?? null
    return identityOf(held, (secret) => this.#options.vault.fingerprint(secret))
  }

  async stop(): Promise<boolean> {
    for (const holder of this.#holders.values()) holder.stop()
    this.#opening?.()
    this.#context.watch.stop()
    await this.#logins.stop()
    const ended = await Promise.all(this.#calls.map((each) => each.stop()))
    return ended.every(Boolean)
  }

  #keeping(): Keeping {
    const { vault, env, directory, oauth } = this.#options
    return { context: this.#context, vault, env, oauth, locksFolder: join(directory, 'locks') }
  }

  #keep(holder: Holder): void {
    this.#holders.set(holder.record.id, holder)
    if (holder instanceof LoginHolder) this.#logins.add(holder)
    const { source } = holder.record
    if (source.kind === 'env' && source.kept && holder instanceof VariableHolder) this.#read(holder.kept())
    if ((holder instanceof LoginHolder || holder instanceof KeyFileHolder) && source.kind === 'file') {
      this.#read(holder.read())
    } else {
      this.#unopened.push(holder)
      this.#opening ??= this.#options.clock.after(0, () => this.#openSome())
    }
  }

  #read(reading: Promise<void>): void {
    const settled = reading.finally(() => this.#readings.delete(settled))
    this.#readings.add(settled)
  }

  #openSome(): void {
    // About 2 ms of decryption, then others may run.
    for (const holder of this.#unopened.splice(0, 100)) {
      if (this.#holders.get(holder.record.id) !== holder) continue
      const problem = holder.problem()
      // A login reports by itself what it cannot open; what else is wrong with it, or with a command, may pass.
      if (problem?.broken && (holder instanceof FixedHolder || holder instanceof VariableHolder))
        this.#context.lapsed(holder.record, this.#context.engineView(holder.record), problem.reason)
    }
    this.#opening = this.#unopened.length > 0 ? this.#options.clock.after(0, () => this.#openSome()) : null
  }

  #holder(credential: CredentialRecord): Holder {
    const holder = this.#holders.get(credential.id)
    if (!holder) throw new NoMaterial('unreadable', `${credential.name} is not kept here`)
    return holder
  }
}

function problemsOf(holder: Holder): readonly Problem[] {
  const problem = holder.problem()
  return problem ? [{ credential: holder.record.name, ...problem }] : []
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
