import type { Cancel, Clock } from '../../clock/clock.ts'
import { type ClaimShape, type Ops, Refusal } from '../../ops/ops.ts'
import type { Tally } from './policy.ts'

export type SeatOps = Pick<Ops, 'jobClaim' | 'jobRenew' | 'jobSettle'>

/** What a job's row keeps of a decision. */
export interface Outlook {
  readonly tally: Tally
  readonly waitMs: number
}

/** The right to run a job; a run without a name has one as well, which remembers nothing. */
export interface Seat {
  /** What earlier runs have left. */
  readonly tally: Tally
  /** Another run has taken the job over, because this one did not answer for too long. */
  readonly takenOver: boolean
  /** Notes an attempt after which the run goes on. */
  note(outlook: Outlook): Promise<void>
  /** Notes how the run ended and gives the job free. */
  leave(outlook: Outlook): Promise<void>
}

/** The seat of a run that has no name. */
export function namelessSeat(): Seat {
  const nothing = async () => undefined
  return { tally: { failures: 0, infra: 0 }, takenOver: false, note: nothing, leave: nothing }
}

interface SeatParts {
  readonly ops: SeatOps
  readonly clock: Clock
  /** Is told when something could not be noted: the run goes on all the same. */
  unnoted(error: unknown): void
}

/** The seat of the job for which the claim was given; renews it until the run leaves. */
export class JobSeat implements Seat {
  readonly tally: Tally
  readonly #job: { readonly name: string; readonly lease: string }
  readonly #renewMs: number
  readonly #parts: SeatParts
  #takenOver = false
  #cancel: Cancel = () => undefined

  constructor(claim: ClaimShape & { readonly lease: string }, parts: SeatParts) {
    this.tally = { failures: claim.failures, infra: claim.infra }
    this.#job = { name: claim.job, lease: claim.lease }
    // Two renewals may get lost before the claim does.
    this.#renewMs = claim.leaseMs / 3
    this.#parts = parts
    this.#arm()
  }

  get takenOver(): boolean {
    return this.#takenOver
  }

  note(outlook: Outlook): Promise<void> {
    return this.#settle(outlook, true)
  }

  async leave(outlook: Outlook): Promise<void> {
    this.#cancel()
    await this.#settle(outlook, false)
  }

  async #settle({ tally, waitMs }: Outlook, running: boolean): Promise<void> {
    if (this.#takenOver) return
    try {
      const { held } = await this.#parts.ops.jobSettle({ ...this.#job, ...tally, waitMs, running })
      if (!held) this.#lose()
    } catch (error) {
      this.#parts.unnoted(error)
    }
  }

  #arm(): void {
    this.#cancel = this.#parts.clock.after(this.#renewMs, () => {
      this.#arm()
      void this.#renew()
    })
  }

  async #renew(): Promise<void> {
    try {
      const { held } = await this.#parts.ops.jobRenew(this.#job)
      if (!held) this.#lose()
    } catch (error) {
      // A daemon that is being restarted gives claims time when it is back; one that refuses will refuse the end as well.
      if (error instanceof Refusal) this.#parts.unnoted(error)
    }
  }

  #lose(): void {
    this.#takenOver = true
    this.#cancel()
  }
}
