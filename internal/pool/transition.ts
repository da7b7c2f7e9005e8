import { backoff, type CooldownSettings, jittered, suspicionMs } from './cooldown.ts'
import type { Cooling, Disabled, Health, Healthy, LeaseId, NeedsLogin, Probing, Suspect, Unreadable } from './member.ts'
import type { At, Outcome, Reason } from './outcome.ts'

/** What an outcome does to one gate. */
export type Effect =
  | {
      readonly do: 'cool'
      readonly reason: Reason
      readonly until: At | null
      readonly forMs: number | null
    }
  | { readonly do: 'suspect'; readonly reason: Reason }
  /** The upstream accepted the credential: ends a probe well. */
  | { readonly do: 'clear' }
  /** Nothing was learned: a probe gives back what was. */
  | { readonly do: 'restore' }

/** The effects that take a gate out of selection. */
type Setback = Extract<Effect, { readonly reason: Reason }>

/** The lease that an effect is blamed on. */
export interface Blame {
  readonly id: LeaseId
  readonly issuedAt: At
}

/** What a transition needs beside the state: the time, a random number in [0, 1) and the configured lengths. */
export interface Circumstances {
  readonly now: At
  readonly jitter: number
  readonly settings: CooldownSettings
}

/** The effect of an outcome on the gate that it is about (credential, domain or model); docs/signals.md, "Outcomes". */
export function effectOf(outcome: Outcome): Effect {
  switch (outcome.kind) {
    case 'success':
    case 'request-fault':
      return { do: 'clear' }
    case 'rate-limited':
    case 'quota-exhausted':
      if (!outcome.cools) return { do: 'restore' }
      return { do: 'cool', reason: outcome.reason, until: outcome.until, forMs: outcome.forMs }
    case 'auth-rejected':
      return outcome.cools ? { do: 'suspect', reason: outcome.reason } : { do: 'restore' }
    case 'auth-expired':
    case 'overloaded':
    case 'upstream-error':
    case 'infra':
    case 'egress-blocked':
    case 'client-gone':
      return { do: 'restore' }
  }
}

/**
 * The health after `effect` of `blame`. Neither a cooldown nor a suspicion is shortened by anybody but its own probe, and
 * reports of leases that are older than the state only lengthen it; such reports therefore commute. The same object is
 * returned when nothing changes.
 */
export function settle(health: Health, effect: Effect, blame: Blame, at: Circumstances): Health {
  switch (health.state) {
    case 'healthy':
      return blame.issuedAt < health.since || !isSetback(effect)
        ? health
        : fallen(effect, { strikes: 0, from: at.now }, at)
    case 'cooling':
    case 'suspect':
      return isSetback(effect) ? worsened(health, effect, blame, at) : health
    case 'probing':
      return health.lease === blame.id ? concludeProbe(health, effect, at) : besideProbe(health, effect, blame, at)
    case 'needs-login':
    case 'unreadable':
    case 'disabled':
      return health
  }
}

/** Takes the one right to test a gate until `leaseUntil`; an early probe uses up its 15 minutes whatever it finds. */
export function startProbe(was: Cooling | Suspect, lease: LeaseId, leaseUntil: At, at: Circumstances): Probing {
  if (was.state === 'suspect' || was.until <= at.now) return { state: 'probing', lease, leaseUntil, was }
  const probeAt = Math.min(was.until, at.now + at.settings.earlyProbeMs)
  return { state: 'probing', lease, leaseUntil, was: { ...was, probeAt } }
}

/** Healthy from `now` on: reports of leases issued earlier no longer count. */
export function recovered(now: At): Healthy {
  return { state: 'healthy', since: now }
}

/** Out of selection until a person logs in. */
export function needsLogin(reason: Reason, now: At): NeedsLogin {
  return { state: 'needs-login', reason, since: now }
}

/** Out of selection until its secret can be read. */
export function unreadable(now: At): Unreadable {
  return { state: 'unreadable', reason: 'unreadable', since: now }
}

/** Out of selection until an operator enables it. */
export function disabled(reason: Reason, by: Disabled['by'], now: At): Disabled {
  return { state: 'disabled', reason, since: now, by }
}

/** Cooling for a fixed time that no upstream hint gave (outliers, hosts). */
export function cooled(reason: Reason, forMs: number, strikes: number, now: At): Cooling {
  return { state: 'cooling', reason, since: now, until: now + forMs, probeAt: now + forMs, strikes }
}

function isSetback(effect: Effect): effect is Setback {
  return effect.do === 'cool' || effect.do === 'suspect'
}

/** Where a length of our own is counted from, and how often it has doubled. */
interface Count {
  readonly strikes: number
  readonly from: At
}

function fallen(setback: Setback, { strikes, from }: Count, at: Circumstances): Cooling | Suspect {
  const { reason } = setback
  if (setback.do === 'suspect') {
    return { state: 'suspect', reason, since: from, until: from + suspicionMs(strikes, at.settings), strikes }
  }
  const hint = setback.until !== null && setback.until > at.now ? jittered(setback.until, at.now, at.jitter) : null
  const until = hint ?? from + backoff(setback.forMs ?? at.settings.rateLimitedMs, strikes, at.settings.maxMs)
  const probeAt = Math.min(until, from + at.settings.earlyProbeMs)
  return { state: 'cooling', reason, since: from, until, probeAt, strikes }
}

// A lease that was issued later than the state has been refused once more: one strike, from now on. The others were in
// flight together with the one that brought the state about, and count their lengths from the same instant as that one.
function worsened(health: Cooling | Suspect, setback: Setback, blame: Blame, at: Circumstances): Cooling | Suspect {
  const late = blame.issuedAt <= health.since
  const { strikes } = health
  const next = fallen(setback, late ? { strikes, from: health.since } : { strikes: strikes + 1, from: at.now }, at)
  const longer = outlasts(next, health) ? next : health
  if (late && longer === health) return health
  const counted = { ...longer, since: next.since, strikes: next.strikes }
  if (counted.state === 'suspect') return counted
  return { ...counted, probeAt: Math.max(earlyTest(health), earlyTest(next)) }
}

/** Whether `next` ends later; between two that end together the order of their arrival must not decide. */
function outlasts(next: Cooling | Suspect, health: Cooling | Suspect): boolean {
  if (next.until !== health.until) return next.until > health.until
  if (next.state !== health.state) return next.state === 'cooling'
  return next.reason < health.reason
}

function earlyTest(health: Cooling | Suspect): At {
  return health.state === 'cooling' ? health.probeAt : 0
}

function concludeProbe(health: Probing, effect: Effect, at: Circumstances): Health {
  if (effect.do === 'restore') return health.was
  if (effect.do === 'clear') return recovered(at.now)
  const sameKind = (effect.do === 'suspect') === (health.was.state === 'suspect')
  const next = fallen(effect, { strikes: sameKind ? health.was.strikes + 1 : 0, from: at.now }, at)
  // The same refusal ahead of the end that was promised, without a new one: the promise stands.
  const { until, reason } = health.was
  const stands = effect.do === 'cool' && effect.until === null && effect.reason === reason && until > next.until
  return stands ? { ...(next as Cooling), until, probeAt: Math.min(until, at.now + at.settings.earlyProbeMs) } : next
}

function besideProbe(health: Probing, effect: Effect, blame: Blame, at: Circumstances): Health {
  if (!isSetback(effect)) return health
  const was = worsened(health.was, effect, blame, at)
  return was === health.was ? health : { ...health, was }
}
