const holdMs = 60_000

/** The one job that may try a pool whose cooldown is over, so that a backlog does not start all at once. */
export class Trials {
  readonly #until = new Map<string, number>()

  /** null: this job is the trial. Otherwise another one is, until this instant at the latest. */
  take(pool: string, now: number): number | null {
    const until = this.#until.get(pool)
    if (until !== undefined && until > now) return until
    this.#until.set(pool, now + holdMs)
    return null
  }

  /** The pool serves, or refused again: the next half-open time has a trial of its own. */
  over(pool: string): void {
    this.#until.delete(pool)
  }
}
