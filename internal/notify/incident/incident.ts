import type { DomainEvent } from '../../events/events.ts'
import type { IncidentRecord } from '../../store/store.ts'
import type { At, UpdateReason } from './notice.ts'

/** What one channel has heard of an incident. */
export type Told = {
  readonly messageId: string
  /** The incident's version that its message shows. */
  readonly version: number
  readonly at: At
  /** The spell whose beginning was told as a message of its own; later ones only show in that message so far. */
  readonly spell: number
  /** Whether the end of that spell was told as a message of its own. */
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
  /** The newest event that signalled it. */
  readonly event: DomainEvent
  /** When its present spell began: later than `openedAt` when it was over and has come back. */
  readonly since: At
  /** How often it has begun. */
  readonly spells: number
  /** It has come back and stays: that is worth a message of its own. */
  readonly isBack: boolean
  /** The event that ended it; null when it is open, was a moment, or ended by itself. */
  readonly end: DomainEvent | null
  /** Not told earlier than this. */
  readonly tellAt: At
  /** When its latest update was decided, and how many signals that update covers. */
  readonly updatedAt: At
  readonly updatedCount: number
  /** Grows with every update that is worth telling. */
  readonly version: number
  readonly why: UpdateReason
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
  return { ...state, ...columns, kind: state.event.kind }
}

function isState(state: Readonly<Record<string, unknown>>): state is State {
  const { group, event, told, tellAt, version, spells } = state
  const numbers = [tellAt, version, spells]
  return (
    typeof group === 'string' && numbers.every((each) => typeof each === 'number') && isFilled(told) && isFilled(event)
  )
}

function isFilled(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}
