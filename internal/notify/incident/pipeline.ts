import type { Announcement, DomainEvent } from '../../events/events.ts'
import { type IsStuck, rootFor } from './cause.ts'
import { groups, needsPerson, type Opening, type Role, roleOf, signalOf } from './condition.ts'
import { needsUpdate, recurrenceMs } from './decide.ts'
import { add, begin, close, reopen, updated } from './fold.ts'
import { type Incident, wasTold } from './incident.ts'
import type { At, Channel, UpdateReason } from './notice.ts'

/** Why an announcement goes no further. */
export type LeftOut =
  | 'audit-only' // not a kind that is told
  | 'switched-off' // the settings say so
  | 'too-old' // found in the audit log after a long absence
  | 'heard-before' // the same event, first told from memory and now found in the audit log
  | 'over-already' // its condition has ended since
  | 'nothing-open' // the end of something that nobody was told of
  | 'told-by-exhaustion' // what happens within a pool while it is exhausted
  | 'told-by-credential' // the failover from a member whose own notice says so

/** All that the stages may look at. */
export interface Scene {
  readonly incidents: readonly Incident[]
  readonly channels: readonly Pick<Channel, 'name' | 'kind'>[]
  /** Incidents with an update that some channel has still to hear. */
  readonly waiting: ReadonlySet<string>
  readonly dedupeMs: number
  /** Whether failovers are told at all. */
  readonly tellsFailovers: boolean
  readonly now: At
  readonly isStuck?: IsStuck
}

/** What an announcement has become so far. */
export interface Draft {
  readonly heard: Announcement
  readonly role: Role
  /** The incident that it belongs to, as it was before. */
  readonly before: Incident | undefined
  /** The incident afterwards; null until it is known. */
  readonly incident: Incident | null
  /** Why people should hear of it now; null when it is only counted. */
  readonly why: UpdateReason | null
  /** The channels that hear of it, by name. */
  readonly channels: readonly string[]
  /** Incidents that were about to be told and are part of this one. */
  readonly withdrawn: readonly string[]
}

type Stage = (draft: Draft, scene: Scene) => Draft | LeftOut

/** The way from an announcement to an update of an incident, in order. */
const pipeline: readonly Stage[] = [wanted, young, grouped, timely, decided, begun, folded, withdrawing, addressed]

const youngMs = 3_600_000

/** Sends one announcement through the pipeline: the draft at its end, or the named reason why it was left out. */
export function hear(heard: Announcement, scene: Scene): Draft | LeftOut {
  const role = roleOf(heard.event)
  if (!role) return 'audit-only'
  let draft: Draft = { heard, role, before: undefined, incident: null, why: null, channels: [], withdrawn: [] }
  for (const stage of pipeline) {
    const next = stage(draft, scene)
    if (typeof next === 'string') return next
    draft = next
  }
  return draft
}

function wanted(draft: Draft, { tellsFailovers }: Scene): Draft | LeftOut {
  return draft.heard.event.kind === 'cred_failover' && !tellsFailovers ? 'switched-off' : draft
}

/** What began long ago and was not told then is told no more; an end is, because somebody may wait for it. */
function young(draft: Draft, { now }: Scene): Draft | LeftOut {
  return draft.role.does === 'opens' && now - draft.heard.event.at > youngMs ? 'too-old' : draft
}

/** Finds the incident that the event belongs to. */
function grouped(draft: Draft, scene: Scene): Draft | LeftOut {
  const { role, heard } = draft
  const siblings = scene.incidents.filter((incident) => incident.group === role.group)
  if (role.does === 'ends') {
    const before = siblings.find((incident) => incident.closedAt === null)
    if (before) return { ...draft, before }
    const recent = siblings.some(({ closedAt }) => closedAt !== null && heard.event.at - closedAt < scene.dedupeMs)
    return role.alone && !recent ? draft : 'nothing-open'
  }
  const { event } = heard
  if (siblings.some((incident) => heardBefore(incident, event))) return 'heard-before'
  if (event.kind === 'cred_failover') {
    if (isOpen(scene, groups.exhaustion(event.pool))) return 'told-by-exhaustion'
    if (isOpen(scene, groups.credential(event.from))) return 'told-by-credential'
  }
  return { ...draft, before: siblings.find((incident) => isSame(incident, event, role)) }
}

/** Whether the event belongs to this incident of its group: it is open, or was a short time ago, and has not lasted too long. */
function isSame({ closedAt, openedAt, lasts }: Incident, { at }: DomainEvent, { longestMs }: Opening): boolean {
  if (!lasts || at - openedAt >= longestMs) return false
  return closedAt === null || (at > closedAt && at - closedAt < recurrenceMs)
}

function heardBefore({ event: newest, openedAt, since }: Incident, event: DomainEvent): boolean {
  return signalOf(newest) === signalOf(event) && [newest.at, openedAt, since].includes(event.at)
}

function isOpen({ incidents }: Scene, group: string): boolean {
  return incidents.some((incident) => incident.group === group && incident.closedAt === null)
}

/** Rows that the store wrote late may speak of what is over. */
function timely(draft: Draft, { incidents }: Scene): Draft | LeftOut {
  const { role, heard, before } = draft
  const { at } = heard.event
  if (role.does === 'ends') return before && at < before.openedAt ? 'over-already' : draft
  const over = incidents.some(
    (incident) => role.lasts && incident.group === role.group && incident.closedAt !== null && at <= incident.closedAt,
  )
  return over ? 'over-already' : draft
}

function decided(draft: Draft, { now, dedupeMs }: Scene): Draft {
  return { ...draft, why: needsUpdate(draft.before, draft.heard.event, now, dedupeMs) }
}

/** Begins a new incident where the event belongs to none, not to be told before it has lasted as long as its hold asks for. */
function begun(draft: Draft, scene: Scene): Draft {
  const { role, heard, before } = draft
  const { now } = scene
  if (before) return draft
  if (role.does === 'ends') return { ...draft, incident: begin({ ...heard, suppressed: 0 }, alone(role.group), now) }
  const root = rootFor(heard.event, scene.incidents, scene.isStuck ?? (() => false))
  const incident = begin(heard, role, now + role.holdMs)
  return { ...draft, incident: root ? { ...incident, within: root.id, tellAt: now } : incident }
}

function alone(group: string): Opening {
  const moment = { subject: null, lasts: false, holdMs: 0, quietMs: null, endsAt: null, longestMs: 0 }
  return { does: 'opens', group, ...moment }
}

/** Brings the event into its incident, and the update with it. */
function folded(draft: Draft, { now }: Scene): Draft {
  const { role, heard, before, why } = draft
  const incident = draft.incident ?? before
  if (!incident) return draft
  if (!before) return { ...draft, incident: updated(incident, why, now) }
  return { ...draft, incident: updated(after(before, heard, role), why, now) }
}

function after(before: Incident, heard: Announcement, role: Role): Incident {
  if (role.does === 'ends') return close(before, heard.event, heard.event.at)
  return before.closedAt === null ? add(before, heard, role) : reopen(before, heard, role)
}

/** A failover that waits to be told has become part of what its pool or its member has come to meanwhile. */
function withdrawing(draft: Draft, { incidents, now }: Scene): Draft {
  const { event } = draft.heard
  const isPart = ({ kind, pool, subject }: Incident) =>
    kind === 'cred_failover' &&
    (event.kind === 'pool_exhausted' ? pool === event.pool : needsPerson(event.kind) && subject === event.from)
  const waiting = incidents.filter((one) => isPart(one) && one.tellAt > now && !wasTold(one))
  return { ...draft, withdrawn: waiting.map(({ id }) => id) }
}

/** All channels, except that whoever acted through one had the answer there. */
function addressed(draft: Draft, { channels }: Scene): Draft {
  if (draft.why === null) return draft
  const { actor } = draft.heard.event
  const told = channels.filter(({ kind }) => draft.why !== 'opened' || !actor.startsWith(`operator:${kind}:`))
  return { ...draft, channels: told.map(({ name }) => name) }
}
