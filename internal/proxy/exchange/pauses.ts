import type { Renewal } from '../../credential/credential.ts'
import type { Decision, Finding, Lease } from '../../engine/engine.ts'
import type { Walk } from '../failover/walk.ts'
import type { Gateway } from './context.ts'

/** The wait for a canonical probe's finding, in ms, before a rejection is passed on or the pool called exhausted (SIGNALS, "Outcomes"). */
const findingMs = 1_000

/** Whose request waits. */
export interface PauseOwner {
  /** Whether nobody waits for an answer any more. */
  readonly isOver: boolean
  /** A fault of our own. */
  crashed(error: unknown): void
}

/** What a request may wait for between two attempts. What comes after its end is not told. */
export class Pauses {
  readonly #gateway: Gateway
  readonly #owner: PauseOwner
  #holding: AbortController | null = null

  constructor(gateway: Gateway, owner: PauseOwner) {
    this.#gateway = gateway
    this.#owner = owner
  }

  /** Waits for what the canonical probe of a rejected member finds. */
  forFinding(lease: Lease, then: (finding: Finding) => void): void {
    this.#wait(this.#gateway.engine.finding(lease, findingMs), then)
  }

  /** Waits for what is being found out about a suspect of the pool; false when nothing is. */
  forSuspects(walk: Walk, then: () => void): boolean {
    const pending = walk.pending(findingMs)
    if (pending) this.#wait(pending, then)
    return pending !== null
  }

  /** Waits for another token in place of that of this generation. */
  forRenewal(lease: Lease, generation: number, then: (renewal: Renewal) => void): void {
    this.#wait(this.#gateway.credentials.renew(lease.credential, generation), then)
  }

  /** Waits in line until a member recovers; a lease that comes too late goes back. */
  forRecovery(walk: Walk, then: (decision: Decision) => void): void {
    const holding = new AbortController()
    this.#holding = holding
    this.#wait(walk.hold(holding.signal), then, (decision) => {
      if (decision.kind === 'lease') walk.returnUnused(decision.lease)
    })
  }

  /** Leaves the line. */
  abandon(): void {
    this.#holding?.abort()
  }

  #wait<T>(work: Promise<T>, then: (result: T) => void, tooLate: (result: T) => void = () => {}): void {
    const owner = this.#owner
    work
      .then((result) => (owner.isOver ? tooLate(result) : then(result)))
      .catch((error: unknown) => owner.crashed(error))
  }
}
