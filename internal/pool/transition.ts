import { backoff, type CooldownSettings, jittered, suspicionMs } from './cooldown.ts'
import type { Cooling, Disabled, Health, Healthy, LeaseId, NeedsLogin, Probing, Suspect } from './member.ts'
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

/** The effect of an outcome on the gate that it is about (credential, domain or model); SIGNALS, "default effect". */
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
      return { do: 'suspect', reason: outcome.reason }
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
 * The health after `effect` of `blame`. A cooldown is never shortened by anybody but its own probe, and reports of
 * leases that are older than the state only lengthen it; reports therefore commute. The same object is returned when
 * nothing changes.
 */
export function settle(health: Health, effect: Effect, blame: Blame, at: Circumstances): Health {
  switch (health.state) {
    case 'healthy':
      return blame.issuedAt < health.since ? health : fall(health, effect, 0, at)
    case 'cooling':
      return effect.do === 'cool' ? lengthen(health, effect, blame, at) : health
    case 'suspect':
      return effect.do === 'cool' ? fall(health, effect, 0, at) : health
    case 'probing':
      return health.lease === blame.id ? concludeProbe(health, effect, at) : besideProbe(health, effect, blame, at)
    case 'needs-login':
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

/** Out of selection until an operator enables it. */
export function disabled(reason: Reason, by: Disabled['by'], now: At): Disabled {
  return { state: 'disabled', reason, since: now, by }
}

/** Cooling for a fixed time that no upstream hint gave (outliers, hosts). */
export function cooled(reason: Reason, forMs: number, strikes: number, now: At): Cooling {
  return { state: 'cooling', reason, since: now, until: now + forMs, probeAt: now + forMs, strikes }
}

function fall(health: Health, effect: Effect, strikes: number, at: Circumstances): Health {
  switch (effect.do) {
    case 'cool': {
      const until = coolUntil(effect, strikes, at.now, at)
      const probeAt = Math.min(until, at.now + at.settings.earlyProbeMs)
      return { state: 'cooling', reason: effect.reason, since: at.now, until, probeAt, strikes }
    }
    case 'suspect': {
      const until = at.now + suspicionMs(strikes, at.settings)
      return { state: 'suspect', reason: effect.reason, since: at.now, until, strikes }
    }
    case 'clear':
    case 'restore':
      return health
  }
}

function lengthen(health: Cooling, effect: Effect & { do: 'cool' }, blame: Blame, at: Circumstances): Cooling {
  const strikes = blame.issuedAt > health.since ? health.strikes + 1 : health.strikes
  const until = coolUntil(effect, strikes, strikes > health.strikes ? at.now : health.since, at)
  if (until < health.until && strikes === health.strikes) return health
  if (until === health.until && effect.reason >= health.reason && strikes === health.strikes) return health
  const reason = until < health.until ? health.reason : effect.reason
  const probeAt = Math.max(health.probeAt, Math.min(until, health.since + at.settings.earlyProbeMs))
  return { ...health, reason, until: Math.max(until, health.until), probeAt, strikes }
}

function concludeProbe(health: Probing, effect: Effect, at: Circumstances): Health {
  if (effect.do === 'restore') return health.was
  if (effect.do === 'clear') return recovered(at.now)
  const sameKind = (effect.do === 'suspect') === (health.was.state === 'suspect')
  return fall(health, effect, sameKind ? health.was.strikes + 1 : 0, at)
}

function besideProbe(health: Probing, effect: Effect, blame: Blame, at: Circumstances): Health {
  if (effect.do !== 'cool') return health
  const was = settle(health.was, effect, blame, at)
  return was === health.was || (was.state !== 'cooling' && was.state !== 'suspect') ? health : { ...health, was }
}

function coolUntil(effect: Effect & { do: 'cool' }, strikes: number, from: At, at: Circumstances): At {
  if (effect.until !== null && effect.until > at.now) return jittered(effect.until, at.now, at.jitter)
  const base = effect.forMs ?? at.settings.rateLimitedMs
  return from + backoff(base, strikes, at.settings.maxMs)
}
