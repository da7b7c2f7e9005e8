import type { DomainEvent } from '../../events/events.ts'
import type { IncidentRecord } from '../../store/store.ts'
import type { At } from './notice.ts'

/** One distinct signal of an incident, with its repeats. */
export type Line = {
  readonly signal: string
  /** The newest event of the signal. */
  readonly event: DomainEvent
  /** When the signal was first heard in this incident; its dedupe window starts here. */
  readonly at: At
  readonly count: number
  /** Repeats that were left out before it, as its announcement says. */
  readonly before: number
}

/** What one channel has heard of an incident. */
export type Told = {
  readonly messageId: string
  /** The incident's version that its message shows. */
  readonly version: number
  readonly at: At
  /** Whether the end was told as a message of its own. */
  readonly ended: boolean
}

/** A condition with a beginning and an end, told once; a moment (`lasts` false) ends when it begins. */
export type Incident = {
  /** The same after a crash between the audit row and this incident, so that nothing is told twice. */
  readonly id: string
  readonly group: string
  readonly kind: DomainEvent['kind']
  readonly pool: string | null
  readonly subject: string | null
  readonly reason: DomainEvent['reason']
  readonly lasts: boolean
  readonly openedAt: At
  readonly closedAt: At | null
  /** When it was last signalled. */
  readonly lastAt: At
  readonly quietMs: number | null
  readonly endsAt: At | null
  readonly count: number
  /** Distinct signals, oldest first; a lasting incident keeps only its newest. */
  readonly lines: readonly Line[]
  /** Distinct signals that had no room in `lines`. */
  readonly more: number
  /** The event that ended it; null when it is open, was a moment, or ended by itself. */
  readonly end: DomainEvent | null
  /** Not told earlier than this. */
  readonly tellAt: At
  /** When its latest update was decided, and how many signals that update covers. */
  readonly updatedAt: At
  readonly updatedCount: number
  /** Grows with every update that is worth telling. */
  readonly version: number
  readonly why: 'opened' | 'joined' | 'repeated' | 'changed' | 'lasting' | 'ended'
  readonly told: Readonly<Record<string, Told>>
  /** The incident whose message tells this one, too; absent when it has a message of its own. */
  readonly within?: string
  /** false: the store was ill, it is told from memory. */
  readonly persisted: boolean
}

/** Fields of an incident that have a column of their own in the store. */
type Column = 'id' | 'kind' | 'pool' | 'subject' | 'reason' | 'openedAt' | 'closedAt' | 'count'
type State = Omit<Incident, Column>

/** Whether anybody has been told of it. */
export function wasTold(incident: Incident): boolean {
  return Object.keys(incident.told).length > 0
}

/** The incident as the store keeps it. */
export function recordOf(incident: Incident): IncidentRecord {
  const { id, kind, pool, subject, reason, openedAt, closedAt, count, ...state } = incident
  return { id, kind, pool, subject, reason, openedAt, closedAt, count, state }
}

/** The incident that was stored; null when the record is of another version or damaged. */
export function incidentOf(record: IncidentRecord): Incident | null {
  const { state, ...columns } = record
  if (!isState(state)) return null
  return { ...state, ...columns, kind: state.lines[0]!.event.kind }
}

function isState(state: Readonly<Record<string, unknown>>): state is State {
  const { group, lines, told, tellAt, version } = state
  if (typeof group !== 'string' || typeof tellAt !== 'number' || typeof version !== 'number') return false
  return isFilled(told) && Array.isArray(lines) && lines.length > 0 && lines.every((line) => isFilled(line?.event))
}

function isFilled(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}
