import type { Changes } from './batch.ts'

/** What happened to a call of the Store. */
export type StoreErrorCode =
  | 'deadline' // no answer in time; the batch may or may not have been written
  | 'locked' // somebody else holds the database
  | 'full' // the disk is full; nothing was written
  | 'unavailable' // the file cannot be reached now; it is opened again at the next call
  | 'rejected' // this batch breaks a rule of the schema and never will be written
  | 'corrupt' // the file is damaged or not ours
  | 'newer' // the file was written by a newer version
  | 'other-key' // it belongs to another master key; nothing was written
  | 'unfinished' // a copy into it was begun and has not ended; nothing was written
  | 'closed' // the Store was closed
  | 'hung' // the worker thread cannot be ended; only a signal ends the process

const passing: ReadonlySet<StoreErrorCode> = new Set(['deadline', 'locked', 'full', 'unavailable'])

/** A call that the Store could not answer; nothing was written, except perhaps when the code is `deadline`. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode
  /** Whether the same call may succeed later. A commit that is tried again writes no audit row twice. */
  readonly mayRetry: boolean
  /** What the operator can do, as a sentence; null when there is nothing to add. */
  readonly hint: string | null

  constructor(code: StoreErrorCode, message: string, options: { hint?: string | null; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.code = code
    this.mayRetry = passing.has(code)
    this.hint = options.hint ?? null
  }
}

/** A batch that was not written because somebody else changed its rows after what its writer had seen. */
export class Conflict extends Error {
  override readonly name = 'Conflict'
  /** The rows in question as they are now, and the number to try again with once they are taken in. */
  readonly current: Changes

  constructor(current: Changes) {
    super('somebody else has changed the same rows')
    this.current = current
  }
}

/** A batch that was not written because the lease of its writer is not current any more. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost'
}

/** A batch that was not written because another process has refreshed the credential meanwhile. */
export class StaleGeneration extends Error {
  override readonly name = 'StaleGeneration'
}
