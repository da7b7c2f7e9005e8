import type { Filling } from '../../events/events.ts'
import type { Actor, BudgetShape, EnforcedShape } from '../../ops/ops.ts'
import type { GuardDeps } from '../context.ts'
import { overBy } from '../decide/budget.ts'
import type { Memory } from '../memory.ts'
import { OneAtATime } from '../one-at-a-time.ts'
import { allowanceMs, Looking } from './looking.ts'
import { type Outcome, prune, untouched } from './prune.ts'
import { type Budget, nothing } from './seen.ts'
import { Telling } from './telling.ts'

export const everyMs = 60_000
/** How long an enforcement that was asked for goes on before it answers with what it has done so far. */
const patienceMs = 20_000
/** What a status may cost. */
const glanceMs = 80

interface How {
  readonly dryRun: boolean
  readonly actor: Actor
}

const byItself: How = { dryRun: false, actor: 'spillway' }

/** The directories with a budget. */
export class Budgets {
  readonly #parts: GuardDeps
  readonly #memory: Memory
  readonly #looking: Looking
  readonly #telling: Telling
  readonly #judging = new OneAtATime()
  readonly #admitting = new Map<string, Promise<EnforcedShape>>()
  #next = 0

  constructor(parts: GuardDeps, memory: Memory) {
    this.#parts = parts
    this.#memory = memory
    this.#looking = new Looking(parts)
    this.#telling = new Telling(parts, memory)
  }

  get names(): readonly string[] {
    return Object.keys(this.#parts.settings().budgets)
  }

  get(name: string): Budget | null {
    return this.#parts.settings().budgets[name] ?? null
  }

  /** Walks on for as long as this minute allows, and enforces what has been walked. */
  async tick(): Promise<void> {
    const { clock } = this.#parts
    const { names } = this
    this.#looking.keepOnly(names)
    let left = allowanceMs
    for (let turn = 0; turn < names.length && left > 0; turn++) {
      const name = names[this.#next % names.length] ?? ''
      const begun = clock.mono()
      const done = await this.#looking.look(name, left, false)
      left -= clock.mono() - begun
      // What was not finished goes on in the next minute.
      if (!done) break
      this.#next++
      await this.#judge(name, byItself, clock.mono() + Math.max(0, left))
    }
  }

  /** Fresh figures where they cost next to nothing; what is large waits for its minute. */
  async glance(name: string): Promise<void> {
    const seen = this.#looking.seen(name)
    if (this.#looking.isWalking(name)) return
    if (seen === null || (seen.complete && seen.tookMs < glanceMs)) await this.#looking.fresh(name, glanceMs)
  }

  /** Looks at all of it, for so long at most. */
  async whole(name: string, forMs: number): Promise<void> {
    const { clock } = this.#parts
    const until = clock.mono() + forMs
    while (!(await this.#looking.look(name, allowanceMs, false)) && clock.mono() < until);
  }

  /** What holds for a job that is about to start: fresh figures, and pruned where that is the budget's action. */
  async enforced(name: string, forMs: number): Promise<EnforcedShape> {
    const untilMono = this.#parts.clock.mono() + forMs
    await this.#looking.fresh(name, Math.min(forMs, allowanceMs))
    // A thousand jobs at once ask once.
    const under = this.#admitting.get(name)
    if (under) return under
    const admitting = this.#judge(name, byItself, untilMono)
      .then((outcome) => this.#enforcedShape(name, outcome, false))
      .finally(() => this.#admitting.delete(name))
    this.#admitting.set(name, admitting)
    return admitting
  }

  /** Looks at all of it and does what the budget says; answers with what was done when it takes long. */
  async enforce(name: string, how: How): Promise<EnforcedShape> {
    const { clock } = this.#parts
    const untilMono = clock.mono() + patienceMs
    let done = await this.#looking.look(name, allowanceMs, this.#looking.seen(name)?.complete !== false)
    while (!done && clock.mono() < untilMono) done = await this.#looking.look(name, allowanceMs, false)
    const outcome = await this.#judge(name, how, untilMono)
    return this.#enforcedShape(name, { ...outcome, complete: done && outcome.complete }, how.dryRun)
  }

  shape(name: string, budget: Budget): BudgetShape {
    const seen = this.#looking.seen(name)
    const { bytes, files, oldestAt, window } = seen?.totals ?? nothing
    const over = this.#over(name, budget)
    return {
      name,
      path: budget.path,
      bytes,
      files,
      oldestAt: oldestAt === null ? null : new Date(oldestAt).toISOString(),
      growthBytesPerHour: window.bytes,
      over: over.length > 0,
      overBy: over,
      action: budget.action,
      pool: budget.pool,
      unread: seen?.unread ?? 0,
      complete: seen?.complete ?? false,
      seenAt: seen ? new Date(seen.at).toISOString() : null,
      problem: seen?.problem ?? null,
    }
  }

  /** The newest facts of the notice about a directory that fills; null: it does not. */
  filling(name: string): Filling | null {
    return this.#telling.filling(name)
  }

  #over(name: string, budget: Budget): string[] {
    return [...overBy(this.#looking.seen(name)?.totals ?? nothing, budget, this.#parts.clock.now())]
  }

  #enforcedShape(name: string, { pruned, kept, complete }: Outcome, dryRun: boolean): EnforcedShape {
    const seen = this.#looking.seen(name)
    const budget = this.get(name)
    if (!budget) throw new Error(`no budget ${name}`)
    const { path, action } = budget
    const { bytes, files } = seen?.totals ?? nothing
    const over = this.#over(name, budget)
    const facts = { name, path, action, over: over.length > 0, overBy: over, bytes, files }
    return { ...facts, pruned, kept, dryRun, complete, problem: seen?.problem ?? null }
  }

  /** Prunes where that is the budget's action, and tells what begins and ends; one at a time for each directory. */
  async #judge(name: string, how: How, untilMono: number): Promise<Outcome> {
    return this.#judging.run(name, () => this.#judged(name, how, untilMono))
  }

  async #judged(name: string, how: How, untilMono: number): Promise<Outcome> {
    const budget = this.get(name)
    const seen = this.#looking.seen(name)
    if (!budget || !seen || seen.problem !== null) return untouched
    const prunes = budget.action === 'prune' && seen.complete && this.#over(name, budget).length > 0
    const around = { parts: this.#parts, memory: this.#memory, looking: this.#looking, ...how, untilMono }
    const outcome = prunes ? await prune(name, budget, around) : untouched
    const left = this.#looking.seen(name)
    if (!how.dryRun && left) await this.#telling.tell(name, budget, left)
    return outcome
  }
}
