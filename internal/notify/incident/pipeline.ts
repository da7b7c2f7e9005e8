import type { Announcement, DomainEvent } from '../../events/events.ts'
import { type IsStuck, rootFor } from './cause.ts'
import { groups, type Role, roleOf, signalOf } from './condition.ts'
import { lineOf, needsUpdate } from './decide.ts'
import { add, begin, close, updated } from './fold.ts'
import { type Incident, wasTold } from './incident.ts'
import type { At, Channel, UpdateReason } from './notice.ts'

/** Why an announcement goes no further. */
export type LeftOut =
  | 'audit-only' // not a kind that is told
  | 'too-old' // found in the audit log after a long absence
  | 'heard-before' // the same event, first told from memory and now found in the audit log
  | 'over-already' // its condition has ended since
  | 'nothing-open' // the end of something that nobody was told of
  | 'told-by-exhaustion' // what happens within a pool while it is exhausted

/** All that the stages may look at. */
export interface Scene {
  readonly incidents: readonly Incident[]
  readonly channels: readonly Pick<Channel, 'name' | 'kind'>[]
  /** Incidents with an update that some channel has still to hear. */
  readonly waiting: ReadonlySet<string>
  readonly dedupeMs: number
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
const pipeline: readonly Stage[] = [young, grouped, timely, decided, spaced, folded, withdrawing, addressed]

const youngMs = 3_600_000
const failoverSpacingMs = 3_000
const longestHoldMs = 300_000
const stormMs = 600_000

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
  if (siblings.some((incident) => heardBefore(incident, heard.event))) return 'heard-before'
  if (heard.event.kind === 'cred_failover' && isExhausted(scene, heard.event)) return 'told-by-exhaustion'
  const before = role.lasts
    ? siblings.find((incident) => incident.closedAt === null)
    : (siblings.find((incident) => lineOf(incident, heard.event, scene.dedupeMs)) ??
      siblings.find((incident) => !wasTold(incident) && scene.waiting.has(incident.id)))
  return { ...draft, before }
}

function heardBefore(incident: Incident, event: DomainEvent): boolean {
  const signal = signalOf(event)
  return incident.lines.some((line) => line.signal === signal && (line.at === event.at || line.event.at === event.at))
}

function isExhausted({ incidents }: Scene, event: DomainEvent): boolean {
  const group = groups.exhaustion(event.pool)
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

/**
 * Begins a new incident, not to be told before its time: what its hold asks for, and a distance to the previous ones of its
 * group that doubles while they keep coming, so that a pool that flaps or dies key by key fills nobody's screen.
 */
function spaced(draft: Draft, scene: Scene): Draft {
  const { role, heard, before } = draft
  if (before) return draft
  if (role.does === 'ends')
    return { ...draft, incident: begin({ ...heard, suppressed: 0 }, alone(role.group), scene.now) }
  const previous = scene.incidents
    .filter(({ group, tellAt }) => group === role.group && tellAt > scene.now - stormMs && tellAt <= scene.now)
    .map(({ tellAt }) => tellAt)
  const spacing = Math.min(
    (role.lasts ? scene.dedupeMs : failoverSpacingMs) * 2 ** (previous.length - 1),
    longestHoldMs,
  )
  const root = rootFor(heard.event, scene.incidents, scene.isStuck ?? (() => false))
  if (root) return { ...draft, incident: { ...begin(heard, role, scene.now), within: root.id } }
  const afterThem = previous.length > 0 ? Math.max(...previous) + spacing : scene.now
  return { ...draft, incident: begin(heard, role, Math.max(afterThem, scene.now + role.holdMs)) }
}

function alone(group: string) {
  return { does: 'opens', group, subject: null, lasts: false, holdMs: 0, quietMs: null, endsAt: null } as const
}

/** Brings the event into its incident, and the update with it. */
function folded(draft: Draft, { now, dedupeMs }: Scene): Draft {
  const { role, heard, before, why } = draft
  const incident = draft.incident ?? before
  if (!incident) return draft
  if (!before) return { ...draft, incident: updated(incident, why, now) }
  const changed = role.does === 'ends' ? close(before, heard.event, heard.event.at) : add(before, heard, role, dedupeMs)
  return { ...draft, incident: updated(changed, why, now) }
}

/** Failovers that wait to be told when their pool is exhausted have become part of that. */
function withdrawing(draft: Draft, { incidents, now }: Scene): Draft {
  if (draft.heard.event.kind !== 'pool_exhausted') return draft
  const group = groups.failover(draft.heard.event.pool)
  const waiting = incidents.filter(
    (incident) => incident.group === group && incident.tellAt > now && !wasTold(incident),
  )
  return { ...draft, withdrawn: waiting.map(({ id }) => id) }
}

/** All channels, except that whoever acted through one had the answer there. */
function addressed(draft: Draft, { channels }: Scene): Draft {
  if (draft.why === null) return draft
  const { actor } = draft.heard.event
  const told = channels.filter(({ kind }) => draft.why !== 'opened' || !actor.startsWith(`operator:${kind}:`))
  return { ...draft, channels: told.map(({ name }) => name) }
}
