import type { SayInstant } from '../../when/when.ts'
import type { Incident } from '../incident/incident.ts'
import type { At } from '../incident/notice.ts'

/** A pool that an incident concerns, and who serves in it meanwhile. */
export interface Concerned {
  readonly name: string
  /** null: nobody can serve. */
  readonly active: string | null
}

/** What sentences need to know beside the incident. */
export interface Saying {
  readonly now: At
  readonly instant: SayInstant
  /** Says an instant within days: `Thu 14:00`. */
  readonly weekday: (at: At) => string
  /** The machine that tells it. */
  readonly host: string
  /** Requests that it has cost so far; null when nobody counts them. */
  readonly refused: number | null
  /** The pools that a host or a credential concerns. */
  readonly pools: readonly Concerned[]
}

/** When its latest spell began, as its end tells it where that is known, and when that ended; up to now while it lasts. */
export function spellOf({ since, closedAt, end }: Incident, now: At): { readonly from: At; readonly to: At } {
  const to = closedAt ?? now
  if (end?.kind === 'host_up' || end?.kind === 'worker_up') return { from: end.detail.downAt, to }
  if (end?.kind === 'pool_recovered') return { from: end.detail.exhaustedAt, to }
  if (end?.kind === 'path_readable') return { from: end.detail.since, to }
  return { from: since, to }
}
