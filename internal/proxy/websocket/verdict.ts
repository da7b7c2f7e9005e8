import type { Credentials } from '../../credential/credential.ts'
import type { Lease } from '../../engine/engine.ts'
import { type Outcome, type OutcomeKind, silentOutcome, type Usage } from '../../pool/pool.ts'
import type { RequestHistory } from '../failover/history.ts'

/** Whether a refusing message is shown: `hide` drops it and closes the client with 1012, `show` passes it on. */
export type RefusalDisplay = 'hide' | 'show'

const accepted: Outcome = { ...silentOutcome('success', 'ok'), status: 101 }

/**
 * Reports what a server's messages mean for the member behind a WebSocket. The 101 proves nothing: limits are told in the
 * first message, so the lease is reported with that.
 */
export class SocketVerdict {
  readonly #credentials: Pick<Credentials, 'renew'>
  readonly #history: RequestHistory
  readonly #lease: Lease
  readonly #generation: number
  #refusal: Outcome | null = null

  /** Of the attempt that is made with `lease` at the moment. */
  constructor(credentials: Pick<Credentials, 'renew'>, history: RequestHistory, lease: Lease) {
    this.#credentials = credentials
    this.#history = history
    this.#lease = lease
    this.#generation = history.generation
  }

  /** As which HTTP status the WebSocket counts: 101, unless its first words refused. */
  get status(): number {
    return this.#refusal === null ? 101 : (this.#refusal.status ?? statusOf[this.#refusal.kind])
  }

  /** The member's limits, as the server has just told them. */
  limits(usage: readonly Usage[]): void {
    this.#history.turn.observe(() => usage)
  }

  /** The member serves. */
  accepted(): void {
    this.#history.report(accepted)
  }

  /** What the server says refuses. `decide` is called with what becomes of them, at once unless a token is renewed first. */
  async refused(outcome: Outcome, decide: (display: RefusalDisplay) => void): Promise<void> {
    // A fault of the request is the client's to mend, on the same WebSocket.
    if (outcome.kind !== 'request-fault') this.#refusal = outcome
    const isExpired = outcome.kind === 'auth-expired'
    // A client that comes again shall meet the new token.
    if (isExpired && !this.#history.isRenewed) await this.#credentials.renew(this.#lease.credential, this.#generation)
    this.#history.refuse(outcome)
    // An expiry is hidden also when there is no new token: on a 401, clients throw their own login away.
    decide(isExpired || this.#leads(outcome) ? 'hide' : 'show')
  }

  /** Whether a client that comes again would be better off. */
  #leads({ kind }: Outcome): boolean {
    return kind !== 'request-fault' && (this.#isLeft || (hopsOn.has(kind) && this.#history.turn.hop()))
  }

  /** Whether a client that comes again would not meet this member. */
  get #isLeft(): boolean {
    const outlook = this.#history.turn.outlook()
    return outlook.kind !== 'lease' || outlook.lease.member !== this.#lease.member
  }
}

/** What another member may well answer, although this one has not cooled. */
const hopsOn: ReadonlySet<OutcomeKind> = new Set<OutcomeKind>([
  'overloaded',
  'rate-limited',
  'quota-exhausted',
  'auth-rejected',
])

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
