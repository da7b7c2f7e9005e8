import type { Credentials } from '../credential/credential.ts'
import type { Lease } from '../engine/engine.ts'
import type { Outcome, OutcomeKind } from '../pool/pool.ts'
import { silentOutcome } from './failure.ts'
import type { Walk } from './walk.ts'

/** What becomes of a message that refuses: `hide` it and send the client elsewhere, or `show` it and go on. */
export type Fate = 'hide' | 'show'

const accepted: Outcome = { ...silentOutcome('success', 'ok'), status: 101 }

/**
 * What the words of a server mean for the member behind a WebSocket. The 101 settles nothing: limits are told in the
 * first message, so that is what the lease is reported with.
 */
export class SocketVerdict {
  readonly #credentials: Pick<Credentials, 'renew'>
  readonly #walk: Walk
  readonly #lease: Lease
  readonly #generation: number
  #refusal: Outcome | null = null
  #renewing = false

  /** Of the attempt that `walk` makes with `lease` at the moment. */
  constructor(credentials: Pick<Credentials, 'renew'>, walk: Walk, lease: Lease) {
    this.#credentials = credentials
    this.#walk = walk
    this.#lease = lease
    this.#generation = walk.generation
  }

  /** As which HTTP status the WebSocket counts: 101, unless its first words refused. */
  get status(): number {
    return this.#refusal === null ? 101 : (this.#refusal.status ?? statusOf[this.#refusal.kind])
  }

  /** The member serves. */
  accepted(): void {
    this.#walk.report(accepted)
  }

  /** The first words refuse. `decide` is called with what becomes of them, at once unless a token is renewed first. */
  async refused(outcome: Outcome, decide: (fate: Fate) => void): Promise<void> {
    // A fault of the request is the client's to mend, on the same WebSocket.
    if (outcome.kind !== 'request-fault') this.#refusal = outcome
    const isExpired = outcome.kind === 'auth-expired'
    // A client that comes again shall meet the new token.
    if (isExpired && !this.#walk.isRenewed) await this.#renew()
    this.#walk.refuse(outcome)
    // An expiry is hidden also when there is no new token: on a 401, clients throw their own login away.
    decide(isExpired || this.#isLeft ? 'hide' : 'show')
  }

  /** An error after the beginning. Resolves with whether the client should come again, for the sake of a new token. */
  async late(outcome: Outcome): Promise<boolean> {
    this.#walk.refuse(outcome)
    return outcome.kind === 'auth-expired' && !this.#renewing && this.#renew()
  }

  /** Re-reads the source and refreshes once: a token that ran out says nothing against its member. */
  async #renew(): Promise<boolean> {
    this.#renewing = true
    const renewal = await this.#credentials.renew(this.#lease.credential, this.#generation)
    this.#renewing = false
    return renewal === 'renewed'
  }

  /** Whether a client that comes again would not meet this member. */
  get #isLeft(): boolean {
    const outlook = this.#walk.outlook()
    return outlook.kind !== 'lease' || outlook.lease.member !== this.#lease.member
  }
}

/** The status with which the same refusal comes over HTTP. */
const statusOf: Readonly<Record<OutcomeKind, number>> = {
  success: 101,
  'request-fault': 101,
  'client-gone': 101,
  'rate-limited': 429,
  'quota-exhausted': 429,
  'auth-expired': 401,
  'auth-rejected': 401,
  'egress-blocked': 403,
  overloaded: 503,
  'upstream-error': 502,
  infra: 502,
}
