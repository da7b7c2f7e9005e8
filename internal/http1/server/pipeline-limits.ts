import type { FastRequest } from './fast-request.ts'
import type { RequestReader } from './request-reader.ts'

/** At most this many pipelined requests wait behind the one that is being answered; then reading pauses. */
const maxWaiting = 16

/** How much of a body is gathered, in bytes, while its request waits behind another. */
const maxEarlyBytes = 65_536

/** Whether so many requests are here that no more are to be read; the first of them is being answered. */
export function hasManyWaiting(requests: readonly FastRequest[]): boolean {
  return requests.length > maxWaiting
}

/** Whether more has come than is gathered for a request that has to wait for the one before it. */
export function hasMuchWaiting({ reading, behind }: RequestReader, serving: FastRequest | null): boolean {
  if (behind.length > maxEarlyBytes) return true
  return reading !== null && reading !== serving && reading.gathered.length > maxEarlyBytes
}

/** Whether something comes, as far as can be seen, that nobody will read after the last answer. */
export function maySendMore({ reading, hasSurplus, end }: RequestReader, requests: readonly FastRequest[]): boolean {
  return reading !== null || hasSurplus || requests.length > 1 || (end !== null && end.why !== 'closed')
}
