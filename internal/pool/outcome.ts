/** Tokens such as `opus` or `gemini-2.5-pro`: what a dialect reads as the unit that an upstream limits by model. */
export type ModelFamily = string

/** An instant in milliseconds since 1970 (UTC). */
export type At = number

export const outcomeKinds = [
  'success',
  'rate-limited',
  'quota-exhausted',
  'auth-expired',
  'auth-rejected',
  'overloaded',
  'upstream-error',
  'infra',
  'request-fault',
  'egress-blocked',
  'client-gone',
] as const

/** What a response (or its absence) means; docs/signals.md, "Outcomes" lists the default effect of each. */
export type OutcomeKind = (typeof outcomeKinds)[number]

/** Named causes: the same word appears in state, log, audit, metric and notice. */
export type Reason =
  | 'ok'
  | 'rate-limited' // an explicit request or token rate limit
  | 'burst' // a 429 that names no limit
  | 'slow-down'
  | 'quota' // a usage window is used up
  | 'billing' // money has run out or a spend limit was reached
  | 'plan' // the plan does not include this
  | 'model-quota' // a limit of one model family
  | 'model-missing' // the member has no access to the model family
  | 'auth-expired' // an access token that a refresh may mend
  | 'auth-rejected' // a key that the upstream does not accept
  | 'account-closed' // account, organisation or workspace deactivated
  | 'refresh-rejected' // the authorization server refused the refresh token
  | 'refresh-uncertain' // a refresh was sent and its answer lost, twice
  | 'unreadable' // the secret cannot be read from its source
  | 'overloaded'
  | 'capacity' // the upstream has no room for this model: a fact about member and model
  | 'upstream-error'
  | 'outlier' // fails while its siblings on the same host succeed
  | 'connect' // refused, unreachable, no name, no TLS
  | 'reset' // the connection broke after request bytes were sent
  | 'timeout'
  | 'protocol' // the upstream's bytes were not HTTP
  | 'request-fault'
  | 'foreign-state' // the request names what another account has sealed
  | 'egress-blocked'
  | 'client-gone'
  | 'operator'
  | 'preempted' // near its limit, left before the refusal
  | 'capped' // used as far as its operator lets it be

/** How far an outcome reaches: one member, its quota domain, one model family of the member, or of its whole domain. */
export type Scope = 'member' | 'domain' | 'model' | 'domain-model'

export interface Outcome {
  readonly kind: OutcomeKind
  readonly reason: Reason
  /** The HTTP status that said so; null when there was no response. */
  readonly status: number | null
  /** `weak` is a bare status that a client could have provoked; `strong` is an explicit code or hint. */
  readonly evidence: 'strong' | 'weak'
  readonly scope: Scope
  /** The family, where the upstream itself names it (it wins over what the request asked for). */
  readonly model: ModelFamily | null
  /** When the upstream says that it ends, already validated and clamped to 7 days; null without a hint. */
  readonly until: At | null
  /** A fixed length in ms instead of the default back-off, when there is no hint (5 s for `slow_down`, 1 h for plans). */
  readonly forMs: number | null
  /** false: replay on another member, but leave this member's state alone. */
  readonly cools: boolean
}

/** An outcome that no words of an upstream describe; by itself it cools no member. */
export function silentOutcome(kind: OutcomeKind, reason: Reason): Outcome {
  return {
    kind,
    reason,
    status: null,
    evidence: 'weak',
    scope: 'member',
    model: null,
    until: null,
    forMs: null,
    cools: false,
  }
}

/** What is reported of a lease of which nothing can be learned: its client is gone, or its attempt failed in our own hands. */
export const nothingLearned: Outcome = silentOutcome('client-gone', 'client-gone')
