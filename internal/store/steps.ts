import { randomBytes } from 'node:crypto'
import type { DomainEvent } from '../events/events.ts'
import type { At } from '../pool/pool.ts'
import type {
  AuditQuery,
  Retention,
  SampleQuery,
  SampleRetention,
  Store,
  UsageQuery,
  UsageRetention,
  UsageSum,
} from './api.ts'
import type { AuditEntry, Snapshot } from './batch.ts'
import type { Break, Link } from './chain.ts'
import type { AuditRow, IncidentRecord, OutboxRecord, RefreshRecord, SecretRecord, UsageSample } from './records.ts'
import type { Committed, Shared, SharedBatch } from './shared.ts'

/** An audit entry with a name, by which a second attempt finds what the first one wrote. */
export interface NamedEntry extends AuditEntry {
  readonly entry: string
  /** An earlier attempt may have written it. */
  readonly again: boolean
}

export interface NamedBatch extends Omit<SharedBatch, 'audit'> {
  readonly audit: readonly NamedEntry[]
}

/** How far a walk along the audit chain has come. */
export type Walk =
  | { readonly done: false; readonly last: Link; readonly rows: number }
  | { readonly done: true; readonly rows: number; readonly head: Link; readonly broken: Break | null }

/** The pieces that a Store is made of: what each is asked and what it answers. None takes long. */
export interface StepTypes {
  load: { asks: null; answers: Snapshot }
  commit: { asks: NamedBatch; answers: Committed }
  refreshState: {
    asks: string
    answers: { readonly row: RefreshRecord | null; readonly secrets: readonly SecretRecord[] }
  }
  audit: { asks: AuditQuery; answers: readonly AuditRow[] }
  /** Walks on along the chain, from the anchor when there is no walk yet. */
  verify: { asks: Extract<Walk, { done: false }> | null; answers: Walk }
  /** Removes at most a few hundred rows; returns how many. */
  prune: { asks: { readonly now: At; readonly retention: Retention }; answers: number }
  usage: { asks: UsageQuery; answers: readonly UsageSum[] }
  /** The same for hours of usage. */
  pruneUsage: { asks: { readonly now: At; readonly retention: UsageRetention }; answers: number }
  incidents: { asks: null; answers: readonly IncidentRecord[] }
  outbox: { asks: null; answers: readonly OutboxRecord[] }
  usageSamples: { asks: SampleQuery; answers: readonly UsageSample[] }
  thinSamples: { asks: { readonly now: At; readonly retention: SampleRetention }; answers: number }
  space: {
    asks: null
    answers: { readonly usedBytes: number; readonly freeBytes: number; readonly totalBytes: number }
  }
}

export type StepName = keyof StepTypes

export type Steps = {
  readonly [S in StepName]: (asks: StepTypes[S]['asks']) => Promise<StepTypes[S]['answers']>
}

/** Commits on conditions, as a shared store offers them. */
export type Commit = (batch: SharedBatch) => Promise<Committed>

/** The Store over its steps; `sharedBy` makes the rest of a store that replicas share. */
export function storeOf(
  steps: Steps,
  close: () => Promise<void>,
  sharedBy: (commit: Commit) => Shared | null = () => null,
): Store {
  const commit = namedCommits(steps)
  return {
    load: () => steps.load(null),
    commit: async (batch) => (await commit(batch)).seqs,
    refreshState: (id) => steps.refreshState(id),
    audit: (query) => steps.audit(query),
    async verifyAudit() {
      let walk = await steps.verify(null)
      while (!walk.done) walk = await steps.verify(walk)
      const { rows, head, broken } = walk
      return broken ? { ok: false, ...broken } : { ok: true, rows, head: head.seq === 0 ? null : head }
    },
    prune: (now, retention) => untilDone(() => steps.prune({ now, retention })),
    usage: (query) => steps.usage(query),
    pruneUsage: (now, retention) => untilDone(() => steps.pruneUsage({ now, retention })),
    incidents: () => steps.incidents(null),
    outbox: () => steps.outbox(null),
    usageSamples: (query) => steps.usageSamples(query),
    thinSamples: (now, retention) => steps.thinSamples({ now, retention }),
    space: () => steps.space(null),
    shared: sharedBy(commit),
    close,
  }
}

/** Removes until nothing is over the budget; returns how many rows went. */
async function untilDone(remove: () => Promise<number>): Promise<number> {
  let total = 0
  for (;;) {
    const gone = await remove()
    if (gone === 0) return total
    total += gone
  }
}

/**
 * Commits whose audit entries keep their name while it is uncertain whether they were written: an event that is
 * committed again after a failure becomes one row, not two.
 */
function namedCommits(steps: Steps): Commit {
  const uncertain = new WeakMap<DomainEvent, string>()
  const run = randomBytes(6).toString('base64url')
  let count = 0
  const named = ({ event, suppressed }: AuditEntry): NamedEntry => {
    const before = uncertain.get(event)
    return { event, suppressed, entry: before ?? `${run}.${++count}`, again: before !== undefined }
  }
  return async (batch) => {
    const audit = batch.audit.map(named)
    try {
      const done = await steps.commit({ ...batch, audit })
      for (const { event } of audit) uncertain.delete(event)
      return done
    } catch (error) {
      for (const { event, entry } of audit) uncertain.set(event, entry)
      throw error
    }
  }
}
