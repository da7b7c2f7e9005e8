import type { Outcome, Reason, Usage } from '../../pool/pool.ts'
import type { CredentialRecord, PoolRecord } from '../../store/store.ts'

/** What the canonical probe of a suspect found. */
export type Finding = 'cleared' | 'confirmed' | 'inconclusive'

/** The canonical probe, implemented by `proxy`: one cheap request with the credential and no client headers. */
export interface Prober {
  probe(credential: CredentialRecord, pool: PoolRecord): Promise<Probed>
}

/** The right to test what recovers, where several replicas share the store: one of them at a time has it. */
export interface Rights {
  /** Resolves with whether this replica may test the credential now; a store that is away keeps nobody from it. */
  take(credentialId: string): Promise<boolean>
  /** The test is over. */
  give(credentialId: string): void
}

/** What was found about a credential, and how. */
export interface Probed {
  readonly finding: Finding
  readonly reason: Reason
  readonly status: number | null
  /** What was asked, such as `GET https://api.openai.com/v1/models`; null or absent: nothing. */
  readonly asked?: string | null
  /** Why nothing was asked, or nobody answered, as a sentence; null or absent: there was an answer. */
  readonly problem?: string | null
}

/** The same request for a credential that has just been added; implemented by `proxy`. */
export interface Checker {
  /** Asks with the secret as it is, refreshing nothing. `asked` is null where no request is known that every credential may make. */
  check(credential: CredentialRecord, pool: PoolRecord): Promise<Probed>
}

/** What an upstream answered to the free canonical request, and what that says about the credential. */
export interface Answer {
  readonly finding: Finding
  readonly outcome: Outcome
}

/** What a look at a login's limits found. */
export interface Looked {
  readonly usage: readonly Usage[]
  /** Whether the provider says that the login may be used; null: it does not say. */
  readonly isAllowed: boolean | null
}

/** Asks upstreams in the background, without a request of a client; implemented by `proxy`. */
export interface Scout {
  /** The answer to the free canonical request with the credential as it is; null when there is no such request (`generic` without `probePath`) or no answer. */
  ask(credential: CredentialRecord, pool: PoolRecord): Promise<Answer | null>
  /** What the provider's usage endpoint says of the login, which costs nothing of its limits; null when it has none, or no answer that can be understood. */
  look(credential: CredentialRecord, pool: PoolRecord): Promise<Looked | null>
  /** Whether the credential can be looked at. */
  canLook(credential: CredentialRecord): boolean
  /** Whether a connection to the upstream can be opened; sends no request and never rejects. */
  connects(baseUrl: string): Promise<boolean>
}
