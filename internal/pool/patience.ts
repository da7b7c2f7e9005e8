import type { At } from './outcome.ts'

/** What a pool does with requests that nobody can serve: answer, send to who recovers first, or wait as long as clients bear it. */
export const onExhaustedWords = ['reject', 'degrade', 'hold'] as const
export type OnExhausted = (typeof onExhaustedWords)[number]

/** How long every known agent program waits without a byte, in ms. */
const borneMs = 50_000

/** What decides how long a request of a pool waits, in ms. */
export interface WaitTerms {
  readonly onExhausted: OnExhausted
  /** The pool's own `maxWaitMs`; null where the configuration decides. */
  readonly ofPool: number | null
  readonly ofAll: number
}

/** How long a request waits at most, in ms: `maxWaitMs`, and what clients bear where a pool holds and names no time itself. */
export function longestWaitMs({ onExhausted, ofPool, ofAll }: WaitTerms): number {
  return ofPool ?? (onExhausted === 'hold' ? Math.max(ofAll, borneMs) : ofAll)
}

/**
 * Whether a request waits that may do so until `deadline`, when the first member recovers at `retryAt` (null: none does by
 * itself): when that is in time, and in a pool that holds in any case.
 */
export function isWorthWaiting(retryAt: At | null, deadline: At, onExhausted: OnExhausted): boolean {
  return retryAt !== null && (onExhausted === 'hold' || retryAt <= deadline)
}
