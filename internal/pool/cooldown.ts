import type { At } from './outcome.ts'

/** Lengths in ms that the operator may change (`cooldown.*` in the configuration). */
export interface CooldownSettings {
  /** The first back-off without a hint. */
  readonly rateLimitedMs: number
  /** How long a suspect whose probe was inconclusive stays out, at first. */
  readonly authMs: number
  /** The longest back-off of our own; never bounds a hint. */
  readonly maxMs: number
  /** How often an exhausted pool may test a member whose hint is farther away than this. */
  readonly earlyProbeMs: number
  /** How often a request may test such a member although others can serve. */
  readonly farProbeMs: number
}

const longestSuspicionMs = 3_600_000
const refutableMs = 300_000
const firstDoubtMs = 900_000
const longestDoubtMs = 7_200_000
const jitterShare = 0.05
const longestJitterMs = 30_000

/** `base` doubled for each strike, at most `most`, in ms; a base beyond `most` stays as it is. */
export function backoff(base: number, strikes: number, most: number): number {
  return Math.min(base * 2 ** Math.min(strikes, 30), Math.max(most, base))
}

/** How long a suspicion lasts that the canonical probe could not decide, in ms: doubling up to one hour. */
export function suspicionMs(strikes: number, settings: CooldownSettings): number {
  return backoff(settings.authMs, strikes, longestSuspicionMs)
}

/**
 * How long an exhaustion is not ended by the canonical probe, in ms, when the next request has refuted that probe so many
 * times in a row: 15 min, doubling up to 2 h, so that a limit that the probe does not see is not over again and again.
 */
export function doubtMs(refuted: number): number {
  return refuted === 0 ? 0 : backoff(firstDoubtMs, refuted - 1, longestDoubtMs)
}

/**
 * Whether requests that are refused at `now` refute an end of an exhaustion at `endedAt` which no request had asked for: only
 * soon after it, within 5 min. What comes later is another limit. `endedAt` null: there was no such end.
 */
export function isRefuted(endedAt: At | null, now: At): boolean {
  return endedAt !== null && now - endedAt < refutableMs
}

/** A hint moved by up to 5 % of its distance (at most 30 s), so that a pool's members do not all return at once. */
export function jittered(until: At, now: At, jitter: number): At {
  return Math.round(until + Math.min((until - now) * jitterShare, longestJitterMs) * jitter)
}
