import type { At, Reason } from '../pool/pool.ts'
import type { CredentialRecord, SecretRecord, Write } from '../store/store.ts'
import type { Identity } from './identity.ts'
import type { Credentials, Material } from './material.ts'
import type { TokenSet } from './oauth/tokens.ts'
import type { FoundLogin, Tool } from './sign-in/import.ts'
import type { LoginFlow } from './sign-in/login-flow.ts'
import type { Reminder } from './token-ends.ts'

/** A credential without a usable secret, or with something about it that its owner should mend. */
export interface Problem {
  readonly credential: string
  readonly reason: Reason
  readonly message: string
  /** There is no secret to give out until somebody mends it. */
  readonly broken: boolean
}

export interface LiveCredentials extends Credentials {
  /** Begins to keep credentials (at the start, or a new one), or keeps one of the same id with its new record and secret. */
  add(records: readonly CredentialRecord[], secrets: readonly SecretRecord[]): void
  remove(id: string): void
  /** Another process has changed the sealed rows of the credential: takes them up. */
  reread(credential: CredentialRecord, secrets: readonly SecretRecord[]): Promise<void>
  /** Resolves when every file has been read once, or has had its time. */
  ready(): Promise<void>
  /** The secret for a tool that would otherwise refresh by itself; rejects with NoMaterial. */
  current(credential: CredentialRecord): Promise<Material & { readonly expiresAt: At | null }>
  /** A lapsed login, or a secret that could not be read, is tried once more (`cred enable`). */
  retry(credential: CredentialRecord): Promise<void>
  /** The login that a tool has left in its file; rejects with a Refusal. */
  findLogin(tool: Tool, path: string): Promise<FoundLogin>
  /** Begins a login by device code or browser; rejects with a Refusal. */
  beginLogin(credential: CredentialRecord): Promise<LoginFlow>
  /**
   * Puts the tokens of a new login in the place of the old ones. `commit` gets the rows to write (none for a shared
   * file) and makes the change known to the engine; nothing is served from the tokens before it resolves.
   */
  install(
    credential: CredentialRecord,
    tokens: TokenSet,
    commit: (writes: readonly Write[]) => Promise<void>,
  ): Promise<void>
  /** When a token that cannot be refreshed ends; null for keys, for logins, and while nobody knows. */
  endsAt(credential: CredentialRecord): At | null
  /** The tokens that end soon. */
  reminders(): readonly Reminder[]
  /** The environment variables with keys of these credentials that hold something else than at the last start. */
  changedVariables(): ReadonlySet<string>
  /** Whose credential it is, as far as that is known without asking anybody. */
  identityOf(credential: CredentialRecord): Identity
  problems(): readonly Problem[]
  problemOf(credential: CredentialRecord): Problem | null
  /** Ends workers and timers. false: a worker hangs in the file system, and only the end of the process ends it. */
  stop(): Promise<boolean>
}
