import type { OutboxRecord } from '../../store/store.ts'
import { editSpacingMs } from '../incident/decide.ts'
import type { Incident } from '../incident/incident.ts'
import type { At, Fault } from '../incident/notice.ts'

/** The outbox never holds more rows than this. */
const mostRows = 100

const retryMs = 1_000
const longestRetryMs = 300_000

/**
 * The row that says: this channel has still to hear of this incident as it is when the row's time comes. There is at most
 * one per incident and channel, so that what happens while a channel is away becomes one message.
 */
export function rowFor(incident: Incident, channel: string, waiting: OutboxRecord | undefined, now: At): OutboxRecord {
  const told = incident.told[channel]
  const soonest = told && incident.why !== 'ended' ? Math.max(now, told.at + editSpacingMs) : now
  const due = told ? soonest : Math.max(now, incident.tellAt)
  return {
    id: rowId(incident.id, channel),
    channel,
    incident: incident.id,
    body: { why: incident.why },
    createdAt: waiting?.createdAt ?? now,
    attempts: waiting?.attempts ?? 0,
    nextAttemptAt:
      waiting === undefined ? due : waiting.attempts > 0 ? waiting.nextAttemptAt : Math.min(waiting.nextAttemptAt, due),
  }
}

/** The id of the row of an incident and a channel. */
export function rowId(incident: string, channel: string): string {
  return `${incident}>${channel}`
}

/** The row after a failed attempt: later by what the other side asked for, or by 1 s · 2^attempts up to 5 min. */
export function retried(row: OutboxRecord, fault: Fault, now: At): OutboxRecord {
  const backOff = Math.min(retryMs * 2 ** row.attempts, longestRetryMs)
  const delay = fault.kind === 'retry-after' ? Math.max(fault.afterMs, retryMs) : backOff
  return { ...row, attempts: row.attempts + 1, nextAttemptAt: now + delay }
}

/** The rows to give up so that 100 remain: moments that have passed before conditions that still hold, oldest first. */
export function overflow(
  rows: readonly OutboxRecord[],
  isOpen: (incident: string) => boolean,
): readonly OutboxRecord[] {
  if (rows.length <= mostRows) return []
  const byWorth = [...rows].sort(
    (one, other) => Number(isOpen(one.incident)) - Number(isOpen(other.incident)) || one.createdAt - other.createdAt,
  )
  return byWorth.slice(0, rows.length - mostRows)
}

/** The next row that a channel should get, oldest first; undefined when none is due. */
export function nextDue(rows: Iterable<OutboxRecord>, channel: string, now: At): OutboxRecord | undefined {
  let oldest: OutboxRecord | undefined
  for (const row of rows) {
    if (row.channel !== channel || row.nextAttemptAt > now) continue
    if (!oldest || row.createdAt < oldest.createdAt) oldest = row
  }
  return oldest
}

/** The row of an incident that began and ended under a mute: it is told with others, in a summary. */
export function summed(row: OutboxRecord, now: At): OutboxRecord {
  return { ...row, body: { why: 'summed' }, attempts: 0, nextAttemptAt: now }
}

/** Whether the row is told with others, in a summary. */
export function isSummed({ body }: OutboxRecord): boolean {
  return body.why === 'summed'
}
