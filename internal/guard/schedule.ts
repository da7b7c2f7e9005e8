import type { Cancel, Clock } from '../clock/clock.ts'

/** Something that is done again and again. */
export interface Duty {
  readonly everyMs: number
  run(): Promise<void>
}

/** Does duties when they are due, each once at a time; which there are is asked anew at every turn. */
export class Schedule {
  readonly #clock: Clock
  readonly #duties: () => ReadonlyMap<string, Duty>
  readonly #failed: (duty: string, error: unknown) => void
  readonly #due = new Map<string, number>()
  readonly #busy = new Set<string>()
  #cancel: Cancel = () => {}
  #running = false

  constructor(clock: Clock, duties: () => ReadonlyMap<string, Duty>, failed: (duty: string, error: unknown) => void) {
    this.#clock = clock
    this.#duties = duties
    this.#failed = failed
  }

  get running(): boolean {
    return this.#running
  }

  start(): void {
    this.#running = true
    this.turn()
  }

  stop(): void {
    this.#running = false
    this.#cancel()
  }

  /** The duty is due now. */
  hurry(id: string): void {
    this.#due.delete(id)
    this.turn()
  }

  /** Does what is due, and arranges the next turn. */
  turn(): void {
    this.#cancel()
    if (!this.#running) return
    const now = this.#clock.now()
    const duties = this.#duties()
    for (const id of this.#due.keys()) if (!duties.has(id)) this.#due.delete(id)
    for (const [id, duty] of duties) {
      if ((this.#due.get(id) ?? 0) > now || this.#busy.has(id)) continue
      this.#due.set(id, now + duty.everyMs)
      void this.#run(id, duty)
    }
    const idle = [...duties.keys()].filter((id) => !this.#busy.has(id))
    const next = Math.min(...idle.map((id) => this.#due.get(id) ?? now))
    // What is under way arranges the next turn when it ends.
    if (next < Number.POSITIVE_INFINITY)
      this.#cancel = this.#clock.after(Math.max(leastMs, next - now), () => this.turn())
  }

  async #run(id: string, duty: Duty): Promise<void> {
    this.#busy.add(id)
    try {
      await duty.run()
    } catch (error) {
      if (this.#running) this.#failed(id, error)
    } finally {
      this.#busy.delete(id)
      this.turn()
    }
  }
}

const leastMs = 10
