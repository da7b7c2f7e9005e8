import type { OutcomeKind } from '../../pool/pool.ts'

/** How a request ended, as metrics count it. */
export type RequestOutcome =
  | 'served' // by the first member
  | 'failed_over' // by another than the first member
  | 'exhausted' // nobody could serve
  | 'passed' // a refusal of the upstream was given to the client
  | 'client_error' // the client's own fault, found here or upstream
  | 'upstream_error' // no or no usable answer, 5xx
  | 'client_gone'

/** How a request ended whose last answer, of this status, was passed on after so many failovers. */
export function endingOf(status: number, failovers: number): RequestOutcome {
  if (status < 400) return failovers === 0 ? 'served' : 'failed_over'
  if (status >= 500) return 'upstream_error'
  return status === 401 || status === 402 || status === 403 || status === 429 ? 'passed' : 'client_error'
}

/** What the proxy counts; `metrics` implements it. Times are in ms. */
export interface ProxyMeter {
  request(pool: string, outcome: RequestOutcome): void
  attempt(pool: string, outcome: OutcomeKind): void
  /** `change` is 1 when a request begins and -1 when it is over. */
  inflight(pool: string, change: 1 | -1): void
  /** Our own part of a request that was passed on: everything but waiting for the client, the upstream or the queue. */
  overhead(ms: number): void
  /** From sending a request until the head of its answer. */
  ttfb(pool: string, ms: number): void
}

/** Counts nothing. */
export const noMeter: ProxyMeter = { request() {}, attempt() {}, inflight() {}, overhead() {}, ttfb() {} }
