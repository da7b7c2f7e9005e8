import type { ModelFamily, Outcome } from '../../pool/pool.ts'

/** What has happened to one request so far, as far as it decides whether the request may be sent again. */
export interface Progress {
  /** Members asked so far, with the one that is judged. */
  readonly members: number
  /** Attempts that count, with the one that is judged: all but earlier strong refusals. */
  readonly attempts: number
  /** Whether what is judged is a strong refusal that came early enough to count for nothing. */
  readonly strong: boolean
  /** How many of them did not reach the upstream. */
  readonly unreachable: number
  /** Members left because of their answer, but for strong refusals. */
  readonly failovers: number
  /** Whether the body is held completely, so that it can be sent again. */
  readonly buffered: boolean
  /** Whether an attempt was answered with overload before. */
  readonly overloadedBefore: boolean
  /** Whether the token of this member has been renewed for this request. */
  readonly renewed: boolean
  /** Whether another member's key was rejected before. */
  readonly rejectedBefore: boolean
}

/** What `nextStep` decides about a request after an attempt. */
export type Step =
  /** Pass the answer on; `again`: in a form on which the client asks again, because another member could serve. */
  | { readonly do: 'pass'; readonly again: boolean }
  /** Try the next member; what is not free has to be paid from the retry budget. */
  | { readonly do: 'next'; readonly free: boolean }
  /** Renew the member's token and send with it once more. */
  | { readonly do: 'renew' }
  /** Wait for the canonical probe of the first member that was rejected, then go on or pass. */
  | { readonly do: 'ask'; readonly free: boolean }

const maxUnreachable = 2

/** How long, in ms, and past how many members strong refusals count for nothing (docs/failover.md, "Replay"). */
const strongMs = 10_000
const maxMembers = 20

/**
 * Whether an outcome takes its member out, so that it can happen once for each member and cooldown and has not to be
 * limited otherwise. `model` is the request's family; after `elapsedMs` of asking nothing is a strong refusal any more.
 */
export function isStrongRefusal(outcome: Outcome, model: ModelFamily | null, elapsedMs: number): boolean {
  const { kind, evidence, cools, scope } = outcome
  const refuses = kind === 'rate-limited' || kind === 'quota-exhausted' || kind === 'auth-rejected'
  const touches = scope !== 'model' || (outcome.model ?? model) !== null
  return refuses && touches && evidence === 'strong' && cools && elapsedMs < strongMs
}

const pass: Step = { do: 'pass', again: false }
const passRetryable: Step = { do: 'pass', again: true }

/**
 * The step after an outcome (docs/signals.md, "Outcomes"; docs/failover.md, "Replay"). It is only asked while nothing has reached the
 * client. Never replayed: what may have been done already (500, 502, 504, resets, timeouts) and what another member
 * would answer alike.
 */
export function nextStep(outcome: Outcome, progress: Progress, maxAttempts: number): Step {
  switch (outcome.kind) {
    case 'success':
    case 'request-fault':
    case 'egress-blocked':
    case 'upstream-error':
    case 'client-gone':
      return pass
    case 'infra':
      return progress.unreachable < maxUnreachable ? nextMember(progress, maxAttempts) : pass
    case 'overloaded':
      return progress.overloadedBefore ? pass : nextMember(progress, maxAttempts)
    case 'auth-expired':
      return progress.renewed || !mayRepeat(progress, maxAttempts) ? nextMember(progress, maxAttempts) : { do: 'renew' }
    case 'auth-rejected':
      // docs/faults.md, F17: what cannot be sent again gets the upstream's own word, also where nobody is left who could serve.
      if (outcome.status !== null && !progress.buffered) return pass
      return progress.rejectedBefore && mayRepeat(progress, maxAttempts)
        ? { do: 'ask', free: isFree(progress) }
        : nextMember(progress, maxAttempts)
    case 'rate-limited':
    case 'quota-exhausted':
      return nextMember(progress, maxAttempts)
  }
}

/** The step `next`, or `pass` with `again` when the request may not be repeated. */
export function nextMember(progress: Progress, maxAttempts: number): Step {
  return mayRepeat(progress, maxAttempts) ? { do: 'next', free: isFree(progress) } : passRetryable
}

function isFree({ strong, failovers }: Progress): boolean {
  return strong || failovers === 0
}

/** One attempt allowed means that nothing is replayed. */
function mayRepeat({ buffered, strong, attempts, members }: Progress, maxAttempts: number): boolean {
  return buffered && members < maxMembers && (strong ? maxAttempts > 1 : attempts < maxAttempts)
}

/** How many retries are allowed: a part of the requests, and some per second whatever the load. */
export interface BudgetSettings {
  readonly ratio: number
  readonly perSecond: number
}

/** Unused allowance is kept for this long. */
const keptSeconds = 10

/** Bounds the retries of all requests together, so that a failing upstream is not asked many times over. */
export class RetryBudget {
  readonly #now: () => number
  #settings: BudgetSettings
  #tokens: number
  #filledAt: number

  /** `now` is in milliseconds. */
  constructor(settings: BudgetSettings, now: () => number) {
    this.#settings = settings
    this.#now = now
    this.#tokens = settings.perSecond * keptSeconds
    this.#filledAt = now()
  }

  set settings(settings: BudgetSettings) {
    this.#settings = settings
  }

  /** A request has come: it earns its part of a retry. */
  earn(): void {
    this.#tokens += this.#settings.ratio
  }

  /** Takes one retry; false when there is none left. */
  spend(): boolean {
    const now = this.#now()
    const { ratio, perSecond } = this.#settings
    const earned = ((now - this.#filledAt) / 1_000) * perSecond
    this.#filledAt = now
    this.#tokens = Math.min(this.#tokens + earned, Math.max(perSecond * keptSeconds, ratio > 0 ? 1 : 0))
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}
