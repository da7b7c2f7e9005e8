import type { Actor } from '../../ops/ops.ts'
import type { GuardDeps } from '../context.ts'
import { overBy, victims } from '../decide/budget.ts'
import type { Candidate } from '../isolated/tally.ts'
import type { Memory } from '../memory.ts'
import { shown } from '../shown.ts'
import type { Looking } from './looking.ts'
import type { Budget } from './seen.ts'

/** What enforcing a budget did. */
export interface Outcome {
  readonly pruned: { readonly files: number; readonly bytes: number }
  readonly kept: { readonly first: number; readonly open: number; readonly changed: number }
  /** false: there was more to do than the time allowed. */
  readonly complete: boolean
}

/** Nothing was done, and nothing had to be. */
export const untouched: Outcome = {
  pruned: { files: 0, bytes: 0 },
  kept: { first: 0, open: 0, changed: 0 },
  complete: true,
}

interface Around {
  readonly parts: GuardDeps
  readonly memory: Memory
  readonly looking: Looking
  readonly actor: Actor
  readonly dryRun: boolean
  readonly untilMono: number
}

/** Deletes the oldest files, round by round, until the directory is within its budget or the time is up. */
export async function prune(name: string, budget: Budget, around: Around): Promise<Outcome> {
  const { parts, looking, dryRun, untilMono } = around
  let outcome = untouched
  for (;;) {
    const totals = await looking.collected(name, untilMono)
    if (totals === null) return { ...outcome, complete: looking.seen(name)?.problem !== null }
    const facts = budget.pool === null ? null : await parts.pool(budget.pool)
    const keep = facts?.incidentAt ? budget.keepFirst : 0
    const { oldest, first } = totals
    const chosen = victims({ totals, limits: budget, oldest, first, keep, now: parts.clock.now() })
    outcome = { ...outcome, kept: { ...outcome.kept, first: Math.min(keep, first.length) } }
    if (dryRun || chosen.length === 0) return { ...outcome, pruned: sum(outcome.pruned, chosen) }
    const { removed, open, changed } = await removedFrom(budget, chosen, parts)
    outcome = {
      ...outcome,
      pruned: sum(outcome.pruned, removed),
      kept: { first: outcome.kept.first, open, changed },
    }
    looking.subtract(name, removed)
    tell(name, budget, removed, around)
    const left = looking.seen(name)?.totals
    if (removed.length === 0 || !left || overBy(left, budget, parts.clock.now()).length === 0) return outcome
    if (parts.clock.mono() > untilMono) return { ...outcome, complete: false }
  }
}

/** A directory that cannot be gone into, such as a link, keeps all of its files. */
function removedFrom({ path }: Budget, files: readonly Candidate[], { system, clock }: GuardDeps) {
  const nothing = { removed: [] as readonly Candidate[], open: 0, changed: files.length }
  return system.remove({ path, files, now: clock.now() }).catch(() => nothing)
}

function tell(name: string, budget: Budget, removed: readonly Candidate[], { memory, actor }: Around): void {
  if (removed.length === 0) return
  const detail = { path: shown(budget.path), ...sum({ files: 0, bytes: 0 }, removed) }
  memory.tell({ kind: 'budget_pruned', from: name, pool: budget.pool, actor, detail })
}

function sum({ files, bytes }: Outcome['pruned'], more: readonly Candidate[]): Outcome['pruned'] {
  return { files: files + more.length, bytes: more.reduce((all, file) => all + file.bytes, bytes) }
}
