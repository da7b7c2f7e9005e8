import type { At, Reason } from './outcome.ts'

/** Numbers leases within one process; later leases have higher numbers. */
export type LeaseId = number

/** Who did something: `operator:cli`, `operator:telegram:42`, `upstream`, `spillway`. */
export type Actor = string

export interface Healthy {
  readonly state: 'healthy'
  /** Reports of leases issued before this instant are out of date. */
  readonly since: At
}

export interface Cooling {
  readonly state: 'cooling'
  readonly reason: Reason
  readonly since: At
  /** The end that the upstream promised, or our own back-off. */
  readonly until: At
  /** When an exhausted pool may test the member; never after `until`. */
  readonly probeAt: At
  /** Refusals in a row, the exponent of the back-off. */
  readonly strikes: number
}

export interface Suspect {
  readonly state: 'suspect'
  readonly reason: Reason
  readonly since: At
  readonly until: At
  readonly strikes: number
}

export interface Probing {
  readonly state: 'probing'
  readonly lease: LeaseId
  /** A probe that has not settled by then has lost its right. */
  readonly leaseUntil: At
  readonly was: Cooling | Suspect
}

export interface NeedsLogin {
  readonly state: 'needs-login'
  readonly reason: Reason
  readonly since: At
}

/** The secret cannot be read from its source: no matter of logging in, and over by itself when it can be read again. */
export interface Unreadable {
  readonly state: 'unreadable'
  readonly reason: Reason
  readonly since: At
}

export interface Disabled {
  readonly state: 'disabled'
  readonly reason: Reason
  readonly since: At
  readonly by: 'upstream' | 'operator'
}

/** The health of whatever an upstream can refuse: a credential, a quota domain, a credential's model family. */
export type Health = Healthy | Cooling | Suspect | Probing | Closed

/** A credential that waits for a person. */
export type Closed = NeedsLogin | Unreadable | Disabled

/** Whether only a person can make the credential usable again. */
export function isClosed(health: Health): health is Closed {
  return health.state === 'needs-login' || health.state === 'unreadable' || health.state === 'disabled'
}

/** An operator put this seat aside; null `until` means until somebody unparks it. */
export interface Park {
  readonly until: At | null
  readonly by: Actor
  readonly since: At
}

/** The health of a credential before anything has happened to it. */
export const pristine: Healthy = { state: 'healthy', since: 0 }
