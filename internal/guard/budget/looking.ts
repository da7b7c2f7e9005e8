import type { GuardDeps } from '../context.ts'
import { problemOf } from '../decide/path.ts'
import type { Candidate, Marks, Totals } from '../isolated/tally.ts'
import { codeOf } from '../system-calls.ts'
import { nothing, type Seen } from './seen.ts'

/** How long walks take of each minute: 2 % of a core, on average, for all of them together. */
export const allowanceMs = 1_200
/** Whoever asks gets figures that are no older than so many times what it takes to get them: 2 % of a core again. */
const worth = 50
/** What is seen this fast is looked at anew for whoever asks: files may have come a moment ago. */
const cheapMs = 50
const hourMs = 3_600_000
/** How many files are deleted in one round. */
const roundFiles = 5_000

/** Looks at directories slice by slice, and knows what was last seen of each. */
export class Looking {
  readonly #parts: GuardDeps
  readonly #seen = new Map<string, Seen>()
  readonly #walking = new Map<string, Promise<void>>()
  /** Whose oldest files are being collected. */
  readonly #collecting = new Set<string>()

  constructor(parts: GuardDeps) {
    this.#parts = parts
  }

  seen(name: string): Seen | null {
    return this.#seen.get(name) ?? null
  }

  /** Whether a walk of it is under way. */
  isWalking(name: string): boolean {
    return this.#walking.has(name)
  }

  /** Forgets directories that no longer have a budget. */
  keepOnly(names: readonly string[]): void {
    for (const name of this.#seen.keys()) if (!names.includes(name)) this.#seen.delete(name)
  }

  /** The figures that are known, or fresh ones where a slice is enough to get them. */
  async fresh(name: string, sliceMs: number): Promise<Seen | null> {
    const seen = this.#seen.get(name)
    const isDear = seen?.complete === true && seen.tookMs > cheapMs
    const isFresh = isDear && this.#parts.clock.now() - seen.at < seen.tookMs * worth
    if (!isFresh) await this.look(name, sliceMs, false)
    return this.seen(name)
  }

  /** Walks for a slice; true when all has been seen, or nothing can be. One walk of a directory at a time. */
  async look(name: string, sliceMs: number, anew: boolean): Promise<boolean> {
    const under = this.#walking.get(name)
    await under
    if (under && !anew) return this.#seen.get(name)?.complete !== false
    const walking = this.#walk(name, { sliceMs, anew, oldest: 0 }).then(() => {})
    this.#walking.set(name, walking)
    try {
      await walking
    } finally {
      if (this.#walking.get(name) === walking) this.#walking.delete(name)
    }
    return this.#seen.get(name)?.complete !== false
  }

  /** All of the directory with its oldest files; null when the time is up, and then the next call goes on, or nothing can be seen. */
  async collected(name: string, untilMono: number): Promise<Totals | null> {
    for (;;) {
      const anew = !this.#collecting.has(name)
      this.#collecting.add(name)
      const totals = await this.#walk(name, { sliceMs: allowanceMs, anew, oldest: roundFiles })
      const isOver = totals !== null || this.seen(name)?.problem !== null
      if (isOver) this.#collecting.delete(name)
      if (isOver || this.#parts.clock.mono() > untilMono) return totals
    }
  }

  /** Takes files that were deleted out of what was seen. */
  subtract(name: string, removed: readonly Candidate[]): void {
    const seen = this.#seen.get(name)
    if (!seen) return
    const gone = new Set(removed.map(({ path }) => path))
    const { totals } = seen
    const bytes = totals.bytes - removed.reduce((sum, file) => sum + file.bytes, 0)
    const oldestAt = totals.oldest.find(({ path }) => !gone.has(path))?.at ?? totals.newestAt
    this.#seen.set(name, { ...seen, totals: { ...totals, bytes, files: totals.files - removed.length, oldestAt } })
  }

  async #walk(
    name: string,
    { sliceMs, anew, oldest }: { sliceMs: number; anew: boolean; oldest: number },
  ): Promise<Totals | null> {
    const { clock, system } = this.#parts
    const budget = this.#parts.settings().budgets[name]
    if (!budget) return null
    const { path, match, keepFirst, pool } = budget
    const incident = pool === null ? null : await this.#parts.pool(pool)
    const errorAt = incident?.incidentAt ?? null
    const marks: Marks = { now: clock.now(), windowMs: hourMs, errorAt, keepFirst, oldest }
    try {
      const key = oldest > 0 ? `${name} oldest` : name
      const { done, totals, unread, tookMs } = await system.walk({ key, path, match, marks, sliceMs, anew })
      const known = this.#seen.get(name)
      // A part of a walk says less than the whole one before it, unless it is more.
      if (done || !known?.complete || totals.bytes > known.totals.bytes || totals.files > known.totals.files)
        this.#seen.set(name, { totals, unread, at: clock.now(), complete: done, tookMs, problem: null })
      return done ? totals : null
    } catch (error) {
      const problem = problemOf(codeOf(error))
      this.#seen.set(name, { totals: nothing, unread: 0, at: clock.now(), complete: true, tookMs: 0, problem })
      return null
    }
  }
}
