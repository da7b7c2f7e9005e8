import type { At } from '../../pool/pool.ts'
import type { TokenSet } from '../oauth/tokens.ts'

/** How long a person may take to agree. */
export const patienceMs = 10 * 60_000

/** What a person is shown: `device`: open the address and enter the code; `browser`: open the address. */
export type LoginPrompt =
  | { readonly kind: 'device'; readonly url: string; readonly code: string; readonly until: At }
  | { readonly kind: 'browser'; readonly url: string; readonly until: At }

/** A login that waits for a person. */
export interface LoginFlow {
  readonly prompt: LoginPrompt
  /** Resolves when the person has agreed; rejects with a Refusal. */
  readonly tokens: Promise<TokenSet>
  /** The address (or the code) at which a browser on another machine ended up; throws a Refusal for anything else, and goes on waiting. */
  paste(address: string): void
  cancel(): void
}

/** The tokens of a login, at which whoever cancels it may never look: that is no unhandled rejection. */
export function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}
