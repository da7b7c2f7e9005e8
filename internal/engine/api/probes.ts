import type { Outcome, Reason } from '../../pool/pool.ts'
import type { CredentialRecord, PoolRecord } from '../../store/store.ts'

/** What the canonical probe of a suspect found. */
export type Finding = 'cleared' | 'confirmed' | 'inconclusive'

/** The canonical probe, implemented by `proxy`: one cheap request with the credential and no client headers. */
export interface Prober {
  probe(
    credential: CredentialRecord,
    pool: PoolRecord,
  ): Promise<{ finding: Finding; reason: Reason; status: number | null }>
}

/** What an upstream answered to the free canonical request, and what that says about the credential. */
export interface Answer {
  readonly finding: Finding
  readonly outcome: Outcome
}

/** Asks upstreams in the background, without a request of a client; implemented by `proxy`. */
export interface Scout {
  /** The answer to the free canonical request with the credential as it is; null when there is no such request (`generic` without `probePath`) or no answer. */
  ask(credential: CredentialRecord, pool: PoolRecord): Promise<Answer | null>
  /** Whether a connection to the upstream can be opened; sends no request and never rejects. */
  connects(baseUrl: string): Promise<boolean>
}
