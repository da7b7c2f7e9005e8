import type { GuardSettings } from '../../ops/ops.ts'
import type { Totals } from '../isolated/tally.ts'

export type Budget = GuardSettings['budgets'][string]

/** What was last seen of a directory. */
export interface Seen {
  readonly totals: Totals
  /** Directories that could not be read; what is in them is not counted. */
  readonly unread: number
  readonly at: number
  /** All of it, not a part. */
  readonly complete: boolean
  /** How long it took to see. */
  readonly tookMs: number
  /** Why it cannot be looked at; null: it can. */
  readonly problem: string | null
}

const none = { files: 0, bytes: 0 }

/** What is seen of nothing. */
export const nothing: Totals = {
  files: 0,
  bytes: 0,
  oldestAt: null,
  newestAt: null,
  largest: [],
  newest: [],
  window: none,
  lately: none,
  after: none,
  before: none,
  hourBefore: none,
  first: [],
  oldest: [],
}
