import type { Details, EventKind, Filling } from '../../events/events.ts'
import type { Actor, BudgetShape, EnforcedShape, GuardSettings } from '../../ops/ops.ts'
import { overBy, victims } from '../decide/budget.ts'
import { fullAt, growthSince, isCalm, isFilling, multiplier } from '../decide/growth.ts'
import { stateOf } from '../decide/path.ts'
import { codeOf } from '../hands.ts'
import type { Candidate, Marks, Totals } from '../lane/tally.ts'
import type { Memory } from '../memory.ts'
import { shown } from '../shown.ts'
import type { GuardParts, PoolFacts } from '../surroundings.ts'

type Budget = GuardSettings['budgets'][string]

/** What was last seen of a directory; `complete`: all of it. */
interface Seen {
  readonly totals: Totals
  readonly at: number
  readonly complete: boolean
  /** How long it took to see. */
  readonly tookMs: number
  readonly problem: string | null
}

/** 2 % of a core, on average, for all walks together. */
export const everyMs = 60_000
const allowanceMs = 1_200
/** Whoever asks gets figures that are no older than so many times what it takes to get them: 2 % of a core again. */
const worth = 50
const hourMs = 3_600_000
/** How long an enforcement that was asked for goes on before it answers with what it has done so far. */
const patienceMs = 20_000
/** How many files are deleted in one round. */
const roundFiles = 5_000

interface Outcome {
  readonly pruned: { files: number; bytes: number }
  readonly kept: { first: number; open: number; changed: number }
  readonly complete: boolean
}

/** The directories with a budget. */
export class Budgets {
  readonly #parts: GuardParts
  readonly #memory: Memory
  readonly #seen = new Map<string, Seen>()
  readonly #walking = new Map<string, Promise<void>>()
  /** Whose oldest files are being collected. */
  readonly #collecting = new Set<string>()
  readonly #filling = new Map<string, Filling>()
  readonly #enforcing = new Map<string, Promise<EnforcedShape>>()
  #next = 0

  constructor(parts: GuardParts, memory: Memory) {
    this.#parts = parts
    this.#memory = memory
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
    for (const name of this.#seen.keys()) if (!names.includes(name)) this.#seen.delete(name)
    let left = allowanceMs
    for (let turn = 0; turn < names.length && left > 0; turn++) {
      const name = names[this.#next % names.length] ?? ''
      const begun = clock.mono()
      const done = await this.#look(name, left, false)
      left -= clock.mono() - begun
      // What was not finished goes on in the next minute.
      if (!done) break
      this.#next++
      await this.#judge(name, { dryRun: false, actor: 'spillway', untilMono: clock.mono() + Math.max(0, left) })
    }
  }

  /** The figures that are known, none older than a few seconds where a short look is enough. */
  async fresh(name: string, sliceMs: number): Promise<Seen | null> {
    const seen = this.#seen.get(name)
    const isFresh = seen?.complete === true && this.#parts.clock.now() - seen.at < seen.tookMs * worth
    if (!isFresh) await this.#look(name, sliceMs, false)
    return this.#seen.get(name) ?? null
  }

  /** What holds for a job that is about to start: fresh figures, and pruned where that is the budget's action. */
  async enforced(name: string, forMs: number): Promise<EnforcedShape> {
    const { clock } = this.#parts
    const untilMono = clock.mono() + forMs
    await this.fresh(name, Math.min(forMs, allowanceMs))
    const under = this.#enforcing.get(name)
    if (under) return under
    // A thousand jobs at once ask once.
    const enforcing = this.#judge(name, { dryRun: false, actor: 'spillway', untilMono })
      .then((outcome) => this.#enforcedShape(name, outcome, { dryRun: false, isSeen: true }))
      .finally(() => this.#enforcing.delete(name))
    this.#enforcing.set(name, enforcing)
    return enforcing
  }

  /** Looks at all of it and does what the budget says; answers with what was done when it takes long. */
  async enforce(name: string, how: { dryRun: boolean; actor: Actor }, forMs = patienceMs): Promise<EnforcedShape> {
    const { clock } = this.#parts
    const untilMono = clock.mono() + forMs
    let done = await this.#look(name, Math.min(forMs, allowanceMs), true)
    while (!done && clock.mono() < untilMono) done = await this.#look(name, allowanceMs, false)
    const outcome = await this.#judge(name, { ...how, untilMono })
    return this.#enforcedShape(name, outcome, { dryRun: how.dryRun, isSeen: done })
  }

  #enforcedShape(
    name: string,
    outcome: Outcome,
    { dryRun, isSeen }: { dryRun: boolean; isSeen: boolean },
  ): EnforcedShape {
    const { clock } = this.#parts
    const seen = this.#seen.get(name)
    const budget = this.get(name)
    if (!budget) throw new Error(`no budget ${name}`)
    const over = seen ? overBy(seen.totals, budget, clock.now()) : []
    return {
      name,
      path: budget.path,
      action: budget.action,
      over: over.length > 0,
      overBy: [...over],
      bytes: seen?.totals.bytes ?? 0,
      files: seen?.totals.files ?? 0,
      pruned: outcome.pruned,
      kept: outcome.kept,
      dryRun,
      complete: isSeen && outcome.complete,
      problem: seen?.problem ?? null,
    }
  }

  shape(name: string, budget: Budget): BudgetShape {
    const seen = this.#seen.get(name)
    const totals = seen?.totals
    const over = totals ? overBy(totals, budget, this.#parts.clock.now()) : []
    return {
      name,
      path: budget.path,
      bytes: totals?.bytes ?? 0,
      files: totals?.files ?? 0,
      oldestAt: totals?.oldestAt ? new Date(totals.oldestAt).toISOString() : null,
      growthBytesPerHour: totals?.window.bytes ?? 0,
      over: over.length > 0,
      overBy: [...over],
      action: budget.action,
      pool: budget.pool,
      complete: seen?.complete ?? false,
      seenAt: seen ? new Date(seen.at).toISOString() : null,
      problem: seen?.problem ?? null,
    }
  }

  /** The newest facts of the notice about a directory that fills; null: it does not. */
  filling(name: string): Filling | null {
    return this.#filling.get(name) ?? null
  }

  /** Walks for a slice; true when all has been seen, or nothing can be. One walk of a directory at a time. */
  async #look(name: string, sliceMs: number, anew: boolean): Promise<boolean> {
    const under = this.#walking.get(name)
    if (under && !anew) {
      await under
      return this.#seen.get(name)?.complete !== false
    }
    await under
    const walking = this.#walk(name, { sliceMs, anew, oldest: 0 }).then(() => {})
    this.#walking.set(name, walking)
    try {
      await walking
    } finally {
      if (this.#walking.get(name) === walking) this.#walking.delete(name)
    }
    return this.#seen.get(name)?.complete !== false
  }

  async #walk(
    name: string,
    { sliceMs, anew, oldest }: { sliceMs: number; anew: boolean; oldest: number },
  ): Promise<Totals | null> {
    const { clock, hands } = this.#parts
    const budget = this.get(name)
    if (!budget) return null
    const marks: Marks = {
      now: clock.now(),
      windowMs: hourMs,
      errorAt: (await this.#incident(budget))?.incidentAt ?? null,
      keepFirst: budget.keepFirst,
      oldest,
    }
    try {
      const key = oldest > 0 ? `${name} oldest` : name
      const { done, totals, tookMs } = await hands.walk({
        key,
        path: budget.path,
        match: budget.match,
        marks,
        sliceMs,
        anew,
      })
      const known = this.#seen.get(name)
      // A part of a walk says less than the whole one before it, unless it is more.
      if (done || !known?.complete || totals.bytes > known.totals.bytes || totals.files > known.totals.files)
        this.#seen.set(name, { totals, at: clock.now(), complete: done, tookMs, problem: null })
      return done ? totals : null
    } catch (error) {
      this.#seen.set(name, {
        totals: nothing,
        at: clock.now(),
        complete: true,
        tookMs: 0,
        problem: problemOf(codeOf(error)),
      })
      return null
    }
  }

  async #incident(budget: Budget): Promise<PoolFacts | null> {
    return budget.pool === null ? null : await this.#parts.pool(budget.pool)
  }

  /** Prunes where that is the budget's action, and tells what begins and ends. */
  async #judge(name: string, how: { dryRun: boolean; actor: Actor; untilMono: number }): Promise<Outcome> {
    const outcome: Outcome = {
      pruned: { files: 0, bytes: 0 },
      kept: { first: 0, open: 0, changed: 0 },
      complete: true,
    }
    const budget = this.get(name)
    const seen = this.#seen.get(name)
    if (!budget || !seen || seen.problem !== null) return outcome
    const isOver = () => overBy(this.#seen.get(name)?.totals ?? nothing, budget, this.#parts.clock.now()).length > 0
    const done =
      budget.action === 'prune' && isOver() && seen.complete ? await this.#prune(name, budget, how, outcome) : true
    if (!how.dryRun) await this.#announce(name, budget)
    return { ...outcome, complete: done }
  }

  /** Deletes round by round; false when there is more to do than the time allowed. */
  async #prune(
    name: string,
    budget: Budget,
    { dryRun, actor, untilMono }: { dryRun: boolean; actor: Actor; untilMono: number },
    outcome: Outcome,
  ): Promise<boolean> {
    const { clock, hands } = this.#parts
    for (;;) {
      const totals = await this.#collected(name, untilMono)
      if (totals === null) return this.#seen.get(name)?.problem !== null
      const facts = await this.#incident(budget)
      const keep = facts?.incidentAt ? budget.keepFirst : 0
      outcome.kept.first = Math.min(keep, totals.first.length)
      const chosen = victims({
        totals,
        limits: budget,
        oldest: totals.oldest,
        first: totals.first,
        keep,
        now: clock.now(),
      })
      if (chosen.length === 0) return true
      if (dryRun) {
        count(outcome, chosen)
        return true
      }
      const { removed, open, changed } = await hands
        .remove({ path: budget.path, files: chosen, now: clock.now() })
        .catch(() => ({ removed: [] as readonly Candidate[], open: 0, changed: chosen.length }))
      count(outcome, removed)
      outcome.kept.open = open
      outcome.kept.changed = changed
      this.#subtract(name, removed)
      if (removed.length > 0) {
        const bytes = removed.reduce((sum, file) => sum + file.bytes, 0)
        const detail = { path: shown(budget.path), files: removed.length, bytes }
        this.#memory.tell({ kind: 'budget_pruned', from: name, pool: budget.pool, actor, detail })
      }
      const left = this.#seen.get(name)?.totals
      if (removed.length === 0 || !left || overBy(left, budget, clock.now()).length === 0) return true
      if (clock.mono() > untilMono) return false
    }
  }

  /** All of the directory with its oldest files; null when the time is up, and then it goes on with the next call. */
  async #collected(name: string, untilMono: number): Promise<Totals | null> {
    for (;;) {
      const anew = !this.#collecting.has(name)
      this.#collecting.add(name)
      const totals = await this.#walk(name, { sliceMs: allowanceMs, anew, oldest: roundFiles })
      const isOver = totals !== null || this.#seen.get(name)?.problem !== null
      if (isOver) this.#collecting.delete(name)
      if (isOver || this.#parts.clock.mono() > untilMono) return totals
    }
  }

  #subtract(name: string, removed: readonly Candidate[]): void {
    const seen = this.#seen.get(name)
    if (!seen) return
    const gone = new Set(removed.map(({ path }) => path))
    const { totals } = seen
    const bytes = totals.bytes - removed.reduce((sum, file) => sum + file.bytes, 0)
    const oldestAt = totals.oldest.find(({ path }) => !gone.has(path))?.at ?? totals.newestAt
    this.#seen.set(name, { ...seen, totals: { ...totals, bytes, files: totals.files - removed.length, oldestAt } })
  }

  async #announce(name: string, budget: Budget): Promise<void> {
    const { clock } = this.#parts
    const seen = this.#seen.get(name)
    if (!seen) return
    const { totals } = seen
    const path = shown(budget.path)
    const over = overBy(totals, budget, clock.now())
    this.#turn('over', name, over.length > 0, {
      begin: () => ({
        kind: 'budget_over',
        detail: { path, bytes: totals.bytes, files: totals.files, over, prunes: budget.action === 'prune' },
      }),
      end: () => ({ kind: 'budget_within', detail: { path } }),
      pool: budget.pool,
      knowsEnd: seen.complete,
    })
    await this.#announceFilling(name, budget, seen)
  }

  async #announceFilling(name: string, budget: Budget, { totals, complete }: Seen): Promise<void> {
    if (!complete) return
    const { incidentAt, cause } = (await this.#incident(budget)) ?? { incidentAt: null, cause: null }
    const told = this.#memory.opened('filling', name)
    const about = { kind: 'budget_filling', from: name, pool: budget.pool } as const
    if (incidentAt !== null && cause !== null && (told !== null || isFilling(totals)))
      this.#filling.set(name, await this.#fillingDetail(budget, totals, { incidentAt, cause }))
    const detail = this.#filling.get(name)
    if (told === null && detail && isFilling(totals)) {
      this.#memory.open('filling', name, totals.hourBefore.files)
      this.#memory.tell({ ...about, detail })
    } else if (told !== null && isCalm(totals, told.normal ?? 0)) {
      this.#memory.close('filling', name)
      this.#filling.delete(name)
      this.#memory.tell({ ...about, kind: 'budget_calm', detail: { path: shown(budget.path) } })
    }
  }

  #turn<B extends EventKind, E extends EventKind>(
    what: string,
    name: string,
    holds: boolean,
    say: {
      begin(): { kind: B; detail: Details[B] }
      end(): { kind: E; detail: Details[E] }
      pool: string | null
      knowsEnd: boolean
    },
  ): void {
    const told = this.#memory.opened(what, name) !== null
    if (holds && !told) {
      this.#memory.open(what, name)
      this.#memory.tell({ ...say.begin(), from: name, pool: say.pool })
    } else if (!holds && told && say.knowsEnd) {
      this.#memory.close(what, name)
      this.#memory.tell({ ...say.end(), from: name, pool: say.pool })
    }
  }

  async #fillingDetail(
    budget: Budget,
    totals: Totals,
    { incidentAt, cause }: { incidentAt: number; cause: NonNullable<PoolFacts['cause']> },
  ): Promise<Filling> {
    const { clock, hands } = this.#parts
    const now = clock.now()
    const bytesPerHour = growthSince(totals, incidentAt, now)
    const space = await hands.space(budget.path).catch(() => null)
    return {
      path: shown(budget.path),
      bytesPerHour,
      multiplier: multiplier(totals),
      errorAt: incidentAt,
      cause,
      freeBytes: space?.freeBytes ?? null,
      fullAt: space && fullAt(space.freeBytes, bytesPerHour, now),
    }
  }
}

function count(outcome: Outcome, files: readonly Candidate[]): void {
  outcome.pruned.files += files.length
  outcome.pruned.bytes += files.reduce((sum, { bytes }) => sum + bytes, 0)
}

function problemOf(code: string | null): string {
  const state = stateOf(code)
  return state === 'failing' && code !== null ? code : state
}

const none = { files: 0, bytes: 0 }
const nothing: Totals = {
  files: 0,
  bytes: 0,
  oldestAt: null,
  newestAt: null,
  largest: [],
  newest: [],
  window: none,
  lately: none,
  after: none,
  before: none,
  hourBefore: none,
  first: [],
  oldest: [],
}
