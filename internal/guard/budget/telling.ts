import type { Filling } from '../../events/events.ts'
import type { GuardDeps } from '../context.ts'
import { overBy } from '../decide/budget.ts'
import { fullAt, growthSince, isCalm, isFilling, multiplier } from '../decide/growth.ts'
import type { Memory } from '../memory.ts'
import { shown } from '../shown.ts'
import type { Budget, Seen } from './seen.ts'

/** Tells of directories over their budget, and of those that fill, once when it begins and once when it ends. */
export class Telling {
  readonly #parts: GuardDeps
  readonly #memory: Memory
  readonly #filling = new Map<string, Filling>()

  constructor(parts: GuardDeps, memory: Memory) {
    this.#parts = parts
    this.#memory = memory
  }

  /** The newest facts of the notice about a directory that fills; null: it does not. */
  filling(name: string): Filling | null {
    return this.#filling.get(name) ?? null
  }

  async tell(name: string, budget: Budget, seen: Seen): Promise<void> {
    this.#tellOver(name, budget, seen)
    if (seen.complete) await this.#tellFilling(name, budget, seen)
  }

  #tellOver(name: string, budget: Budget, { totals, complete }: Seen): void {
    const path = shown(budget.path)
    const over = overBy(totals, budget, this.#parts.clock.now())
    const told = this.#memory.opened('over', name) !== null
    const about = { from: name, pool: budget.pool }
    if (over.length > 0 && !told) {
      this.#memory.open('over', name)
      const detail = { path, bytes: totals.bytes, files: totals.files, over, prunes: budget.action === 'prune' }
      this.#memory.tell({ kind: 'budget_over', ...about, detail })
    } else if (over.length === 0 && told && complete) {
      this.#memory.close('over', name)
      this.#memory.tell({ kind: 'budget_within', ...about, detail: { path } })
    }
  }

  async #tellFilling(name: string, budget: Budget, { totals }: Seen): Promise<void> {
    const told = this.#memory.opened('filling', name)
    const about = { from: name, pool: budget.pool }
    const fills = isFilling(totals)
    if (told !== null || fills) await this.#refresh(name, budget, totals)
    const detail = this.#filling.get(name)
    if (told === null && detail && fills) {
      this.#memory.open('filling', name, totals.hourBefore.files)
      this.#memory.tell({ kind: 'budget_filling', ...about, detail })
    } else if (told !== null && isCalm(totals, told.normal ?? 0)) {
      this.#memory.close('filling', name)
      this.#filling.delete(name)
      this.#memory.tell({ kind: 'budget_calm', ...about, detail: { path: shown(budget.path) } })
    }
  }

  /** Takes up the newest facts, as long as the pool's incident lasts. */
  async #refresh(name: string, budget: Budget, totals: Seen['totals']): Promise<void> {
    const { clock, system } = this.#parts
    const pool = budget.pool === null ? null : await this.#parts.pool(budget.pool)
    if (!pool?.incidentAt || !pool.cause) return
    const now = clock.now()
    const bytesPerHour = growthSince(totals, pool.incidentAt, now)
    const space = await system.space(budget.path).catch(() => null)
    this.#filling.set(name, {
      path: shown(budget.path),
      bytesPerHour,
      multiplier: multiplier(totals),
      errorAt: pool.incidentAt,
      cause: pool.cause,
      freeBytes: space?.freeBytes ?? null,
      fullAt: space && fullAt(space.freeBytes, bytesPerHour, now),
    })
  }
}
