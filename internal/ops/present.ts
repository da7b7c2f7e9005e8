import type { MemberStatus, PoolStatus } from '../engine/engine.ts'
import type { OpenIncident } from '../notify/notify.ts'
import { type Affinity, type At, type Health, type OnExhausted, type Park, remedyFor } from '../pool/pool.ts'
import { typed } from './hint.ts'
import { dialectFor } from './names.ts'

/** A member's or credential's health in `--json`; instants are RFC 3339 strings. */
export interface HealthShape {
  state: Health['state']
  reason: string | null
  since: string | null
  until: string | null
  /** Who closed it, when it is `disabled`. */
  by: 'upstream' | 'operator' | null
}

interface ParkShape {
  since: string
  /** null: until somebody unparks it. */
  until: string | null
  by: string
}

export interface MemberShape {
  name: string
  /** Counts from 1. */
  position: number
  weight: number
  /** 2 serves only when nobody of 1 can. */
  tier: number
  /** How many requests it may have under way; null: as many as come. */
  maxInFlight: number | null
  /** Percent of each window at which it counts as used up. */
  caps: Record<string, number>
  /** Until when it counts as used up because of a cap; null: it does not. */
  cappedUntil: string | null
  domain: string | null
  /** The upstream host and port that it talks to. */
  host: string
  /** false: that host is down, which says nothing about the member. */
  reachable: boolean
  health: HealthShape
  park: ParkShape | null
  /** Whether it would serve the next request. */
  active: boolean
  /** Counters of the live process; null when none runs. */
  inFlight: number | null
  lastUsedAt: string | null
  requests: number | null
  failures: number | null
  scoped: { model: string; reason: string; until: string }[]
  /** How much of its limits is used, as its upstream last said to the live process. */
  usage: UsageShape[]
  /** What a person types to mend it; null when it waits for nobody. */
  command: string | null
}

export interface UsageShape {
  /** The length of its window, or the upstream's own word: `5h`, `7d_opus`, `tokens`. */
  window: string
  /** The model family that alone it limits; null: all, or the upstream does not say. */
  family: string | null
  usedPercent: number
  resetAt: string | null
  /** When its upstream last said so. */
  seenAt: string
  /** Whether it stood on an answer, or was asked for. */
  source: 'headers' | 'look'
  /** Percent at which the operator stops the member (`pool tune --cap`); null: none. */
  cap: number | null
}

/** When a pool runs dry, and by whom. */
export interface ForecastShape {
  name: string
  at: string
  /** `enough`: not before `until`; `unknown`: too little is known to say. */
  state: 'enough' | 'dry' | 'unknown'
  dryAt: string | null
  /** When the first member can serve again after that, and which. */
  reliefAt: string | null
  reliefMember: string | null
  until: string | null
  /** Of the limit of the serving member that is used up first. */
  burnPercentPerHour: number | null
  /** What it rests on: requests since then, in so many samples. */
  basis: { fromAt: string | null; samples: number }
  /** Which client keys burn, the largest first; parts of 1. */
  keys: { key: string; share: number }[]
}

export interface PoolShape {
  name: string
  provider: string
  /** The shape of API that is spoken. */
  shape: string
  strategy: string
  upstream: string | null
  maxWaitMs: number | null
  onExhausted: OnExhausted | null
  preemptAt: number | null
  affinity: Affinity | null
  probePath: string | null
  /** Who would serve now; null when nobody can. */
  active: string | null
  exhausted: boolean
  retryAt: string | null
  /** The host without which nobody can serve, while it is down; null otherwise. */
  unreachable: { host: string; since: string; retryAt: string } | null
  /** Who would serve a model family where that is not the active member; null when nobody can. */
  activeFor: { model: string; member: string | null }[]
  /** How much of its input came from a cache in this hour and the last, from 0 to 1; null where that is not known. */
  cachedShare: number | null
  forecast: ForecastShape
  members: MemberShape[]
}

export interface IncidentShape {
  id: string
  kind: string
  pool: string | null
  subject: string | null
  reason: string | null
  openedAt: string
  count: number
  /** What people are told of it; null when another incident tells it, too, or no daemon runs. */
  text: string | null
}

/** The instant as an RFC 3339 string in UTC. */
export function instant(at: At): string {
  return new Date(at).toISOString()
}

/** The instant as an RFC 3339 string, or null for none. */
export function maybeInstant(at: At | null): string | null {
  return at === null ? null : instant(at)
}

/** Health as it is shown; a probing member shows the refusal that the probe tests. */
export function healthShape(health: Health): HealthShape {
  switch (health.state) {
    case 'healthy':
      return {
        state: 'healthy',
        reason: null,
        since: health.since > 0 ? instant(health.since) : null,
        until: null,
        by: null,
      }
    case 'probing':
      return { ...healthShape(health.was), state: 'probing' }
    case 'cooling':
    case 'suspect':
      return {
        state: health.state,
        reason: health.reason,
        since: instant(health.since),
        until: instant(health.until),
        by: null,
      }
    case 'needs-login':
    case 'unreadable':
      return { state: health.state, reason: health.reason, since: instant(health.since), until: null, by: null }
    case 'disabled':
      return { state: health.state, reason: health.reason, since: instant(health.since), until: null, by: health.by }
  }
}

function parkShape(park: Park | null, now: At): ParkShape | null {
  if (!park || (park.until !== null && park.until <= now)) return null
  return { since: instant(park.since), until: maybeInstant(park.until), by: park.by }
}

function memberShape(member: MemberStatus, now: At, live: boolean): MemberShape {
  return {
    name: member.name,
    position: member.position,
    weight: member.weight,
    tier: member.tier,
    maxInFlight: member.maxInFlight,
    caps: { ...member.caps },
    cappedUntil: maybeInstant(member.cappedUntil),
    domain: member.domain,
    host: member.host,
    reachable: member.reachable,
    health: healthShape(member.health),
    park: parkShape(member.park, now),
    active: member.active,
    inFlight: live ? member.inFlight : null,
    lastUsedAt: maybeInstant(member.lastUsedAt),
    requests: live ? member.requests : null,
    failures: live ? member.failures : null,
    scoped: member.scoped.map(({ model, reason, until }) => ({ model, reason, until: instant(until) })),
    usage: member.usage.map(usageShape),
    command: typed(remedyFor(member.name, member.health)),
  }
}

/** Upstreams give parts of 1 and remainders, which become percentages with many digits. */
function usageShape({
  window,
  family,
  usedPercent,
  resetAt,
  seenAt,
  source,
  cap,
}: MemberStatus['usage'][number]): UsageShape {
  const used = Math.round(usedPercent * 10) / 10
  const at = { resetAt: maybeInstant(resetAt), seenAt: instant(seenAt) }
  return { window, family: family ?? null, usedPercent: used, ...at, source, cap }
}

/** The forecast of a pool as `pool forecast --json` shows it. */
export function forecastShape({ record, forecast }: Pick<PoolStatus, 'record' | 'forecast'>): ForecastShape {
  const { state, at, dryAt, reliefAt, reliefMember, until, burnPercentPerHour: burn, basis, keys } = forecast
  return {
    name: record.name,
    at: instant(at),
    state,
    dryAt: maybeInstant(dryAt),
    reliefAt: maybeInstant(reliefAt),
    reliefMember,
    until: maybeInstant(until),
    burnPercentPerHour: burn === null ? null : Math.round(burn * 100) / 100,
    basis: { fromAt: maybeInstant(basis.fromAt), samples: basis.samples },
    keys: keys.map(({ key, share }) => ({ key, share: Math.round(share * 1_000) / 1_000 })),
  }
}

/** A pool as `pool status --json` shows it; what only a live process counts is null when `live` is false. */
export function poolShape(status: PoolStatus, now: At, live: boolean): Omit<PoolShape, 'cachedShare'> {
  const { record } = status
  return {
    name: record.name,
    provider: record.provider,
    shape: dialectFor(record).shape,
    strategy: record.strategy,
    upstream: record.upstream,
    maxWaitMs: record.maxWaitMs,
    onExhausted: record.onExhausted,
    preemptAt: record.preemptAt,
    affinity: record.affinity,
    probePath: record.probePath,
    active: status.active,
    exhausted: status.exhausted,
    retryAt: maybeInstant(status.retryAt),
    unreachable: status.unreachable && {
      host: status.unreachable.host,
      since: instant(status.unreachable.since),
      retryAt: instant(status.unreachable.retryAt),
    },
    activeFor: status.activeFor.map(({ model, member }) => ({ model, member })),
    forecast: forecastShape(status),
    members: status.members.map((member) => memberShape(member, now, live)),
  }
}

/** An incident as `status --json` shows it, without what the channels keep for themselves. */
export function incidentShape({ record, text }: OpenIncident): IncidentShape {
  const { id, kind, pool, subject, reason, openedAt, count } = record
  return { id, kind, pool, subject, reason, openedAt: instant(openedAt), count, text }
}
