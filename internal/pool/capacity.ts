import type { At } from './outcome.ts'

/** What a member has refused for want of capacity for one model, since its last answer for that model. */
export interface Capacity {
  /** When it refused, within the last 15 min; the latest three at most. */
  readonly refusedAt: readonly At[]
  /** How often it has been passed over in a row. */
  readonly times: number
  /** Until when it is passed over; in the past if it is not. */
  readonly until: At
}

const windowMs = 900_000
const refusalsBefore = 3
const shortestMs = 120_000
const longestMs = 900_000

/** How long a member is passed over whose client will come again at once on another connection, in ms: one hop, no more. */
const hopMs = 10_000

const none: Capacity = { refusedAt: [], times: 0, until: 0 }

/**
 * The record after one more refusal (docs/failover.md, "Capacity"): with the third within 15 min the member is passed over for
 * 2 min, and with each that follows for twice as long, up to 15 min. `before` is null after an answer.
 */
export function withoutCapacity(before: Capacity | null, now: At): Capacity {
  const { refusedAt, times, until } = lasting(before, now)
  const recent = [...refusedAt.filter((at) => now - at < windowMs), now].slice(-refusalsBefore)
  // Those that were in flight with the one that brought it about count no further.
  if (until > now || (times === 0 && recent.length < refusalsBefore)) return { refusedAt: recent, times, until }
  return { refusedAt: recent, times: times + 1, until: now + Math.min(shortestMs * 2 ** times, longestMs) }
}

/** The record after a refusal whose client comes again at once: whatever it said before, the next request goes elsewhere. */
export function hopped(before: Capacity | null, now: At): Capacity {
  const record = lasting(before, now)
  return { ...record, until: Math.max(record.until, now + hopMs) }
}

/** Whether requests for the model pass the member over, as long as another one can serve. */
export function isPassedOver({ until }: Capacity, now: At): boolean {
  return until > now
}

/** Whether the record says nothing any more. */
export function isForgotten(record: Capacity, now: At): boolean {
  return lasting(record, now) === none
}

function lasting(record: Capacity | null, now: At): Capacity {
  if (record === null) return none
  const latest = Math.max(record.until, ...record.refusedAt)
  return now - latest < windowMs ? record : none
}
