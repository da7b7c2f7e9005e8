import type { AdmitShape, Guard } from '../ops/ops.ts'
import type { Budgets } from './budget/budgets.ts'
import type { GuardDeps } from './context.ts'
import { isUnder } from './decide/path.ts'
import type { HotPaths } from './hotpath/hotpaths.ts'
import type { Trials } from './trials.ts'

interface Around {
  readonly parts: GuardDeps
  readonly budgets: Budgets
  readonly hotPaths: HotPaths
  readonly trials: Trials
}

/** How long a job waits for the figures of a directory, and for deletions that bring it within its budget. */
const patienceMs = 1_500

/** Whether a job may start: the storage first, then the budgets, and last the trial, which is taken by asking. */
export async function admitted(asks: Parameters<Guard['admit']>[0], around: Around): Promise<AdmitShape> {
  return (
    (await unreadable(asks, around)) ??
    (await overBudget(asks, around)) ??
    (asks.trial ? await trial(asks.pool, around) : { verdict: 'go' })
  )
}

async function unreadable(
  { hotPaths: named, folder }: { hotPaths: readonly string[]; folder: string | null },
  { parts, hotPaths }: Around,
): Promise<AdmitShape | null> {
  const holding = Object.entries(parts.settings().hotPaths).flatMap(([name, { path }]) =>
    folder !== null && path !== null && (folder === path || isUnder(folder, path)) ? [name] : [],
  )
  for (const name of new Set([...named, ...holding])) {
    const known = hotPaths.shape(name)
    const isFresh = known.state !== null && known.state !== 'readable'
    // What was well a while ago may not be now; what is ill is looked at often enough.
    if (!isFresh) await hotPaths.look(name)
    const { state, since, path } = hotPaths.shape(name)
    if (state !== null && state !== 'readable')
      return { verdict: 'storage-unreadable', hotPath: name, path: path ?? '', state, since }
  }
  return null
}

async function overBudget(
  { pool, budgets: named }: { pool: string; budgets: readonly string[] },
  { parts, budgets }: Around,
): Promise<AdmitShape | null> {
  const own = Object.entries(parts.settings().budgets).flatMap(([name, budget]) => (budget.pool === pool ? [name] : []))
  for (const name of new Set([...named, ...own])) {
    const budget = await budgets.enforced(name, patienceMs)
    if (budget.over) return { verdict: 'over-budget', budget }
  }
  return null
}

async function trial(name: string, { parts, trials }: Around): Promise<AdmitShape> {
  const pool = await parts.pool(name)
  if (pool?.breaker.state !== 'half-open') {
    trials.over(name)
    return { verdict: 'go' }
  }
  const until = trials.take(name, parts.clock.now())
  return until === null ? { verdict: 'go' } : { verdict: 'half-open', pool: name, until: new Date(until).toISOString() }
}
