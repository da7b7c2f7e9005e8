import type { CheckShape } from '../../ops/ops.ts'

/** Whether a job works through the pool's credentials; only such a job is halted when the pool cannot serve. */
export type JobType = 'agent' | 'shell'

/** The first wait and the longest one, in ms; each failure in a row doubles it. */
export interface Backoff {
  readonly firstMs: number
  readonly maxMs: number
}

/** What applies to a job that says nothing else. */
export const jobDefaults: { readonly retries: number; readonly type: JobType; readonly backoff: Backoff } = {
  retries: 3,
  type: 'agent',
  backoff: { firstMs: 1_000, maxMs: 300_000 },
}

/** How long a job waits for what it runs on: a stale mount is mended by people or scripts, within minutes rather than seconds. */
export const infraBackoff: Backoff = { firstMs: 30_000, maxMs: 1_800_000 }

/** What a job runs on and what was wrong with it; blames neither the job nor a credential. */
export type Trouble =
  | 'folder-missing'
  | 'folder-unreadable'
  | 'folder-hung'
  | 'proxy-unreachable'
  | 'daemon-silent'
  | 'no-resources' // memory, processes or file descriptors
  | 'io-error'

/** How an attempt ended. */
export type Ended =
  | { readonly how: 'exit'; readonly code: number }
  | { readonly how: 'signal'; readonly signal: NodeJS.Signals }
  | { readonly how: 'not-found' }
  | { readonly how: 'not-executable' }
  | { readonly how: 'infra'; readonly trouble: Trouble }

/** What the pool says of itself; `silent` when nobody answered. */
export type PoolState = CheckShape | 'silent'

/** Why a job through a pool is not worth an attempt. */
export type HaltReason = 'session-expired' | 'unreadable' | 'disabled' | 'empty' | 'exhausted' | 'unreachable'

/** Failures in a row, of the job itself and of what it runs on; a job's row carries them from run to run. */
export interface Tally {
  readonly failures: number
  readonly infra: number
}

/** Everything that decides what comes after an attempt. */
export interface Facts {
  readonly ended: Ended
  /** Somebody told the run to stop while the attempt was under way. */
  readonly stopped: boolean
  /** The job's claim has passed to another run. */
  readonly takenOver: boolean
  /** null: it was not asked, because the job succeeded. */
  readonly pool: PoolState | null
  readonly type: JobType
  readonly tally: Tally
  readonly retriesLeft: number
  readonly backoff: Backoff
  /** From 0 up to, but not including, 1. */
  readonly random: number
}

/** Why a run ends although the pool could serve. */
export type FinishReason = 'succeeded' | 'stopped' | 'cannot-start' | 'retries-used-up' | 'taken-over'

/** What to do after an attempt; `tally` and `waitMs` (until the next attempt, by this run or another) are what the job's row keeps. */
export type Decision =
  | { readonly kind: 'finish'; readonly why: FinishReason; readonly tally: Tally; readonly waitMs: number }
  | {
      readonly kind: 'halt'
      readonly why: HaltReason
      readonly check: CheckShape
      readonly tally: Tally
      readonly waitMs: 0
    }
  | { readonly kind: 'cool'; readonly why: Trouble; readonly tally: Tally; readonly waitMs: number }
  | { readonly kind: 'retry'; readonly why: 'failed'; readonly tally: Tally; readonly waitMs: number }

/** A decision that ends the run. */
export type Final = Exclude<Decision, { kind: 'retry' }>

/** Why the pool's own state forbids an attempt of such a job; null when nothing does. */
export function haltReason(pool: CheckShape, type: JobType): HaltReason | null {
  if (type === 'shell' || pool.verdict === 'can-serve') return null
  if (pool.verdict === 'cooling') return 'exhausted'
  if (pool.verdict === 'unreachable') return 'unreachable'
  const states = pool.people.map(({ state }) => state)
  if (states.includes('needs-login')) return 'session-expired'
  if (states.includes('unreadable')) return 'unreadable'
  return pool.people.length > 0 ? 'disabled' : 'empty'
}

/** How often, in ms, a pool that is waited for is asked: it may come back before its time. */
const resetPollMs = { least: 1_000, most: 60_000 }

/** How long until a pool is asked again that comes back by itself, in ms; null for one that serves, or waits for a person. */
export function resetWaitMs(pool: PoolState, now: number): number | null {
  if (pool === 'silent') return resetPollMs.most
  if ((pool.verdict !== 'cooling' && pool.verdict !== 'unreachable') || pool.retryAt === null) return null
  return Math.min(resetPollMs.most, Math.max(resetPollMs.least, Date.parse(pool.retryAt) - now))
}

/** What comes after an attempt. Success and the operator's will come first, then what retrying cannot mend, then the retries. */
export function decide(facts: Facts): Decision {
  const { ended, tally, backoff } = facts
  if (ended.how === 'exit' && ended.code === 0) return finish('succeeded', { failures: 0, infra: 0 }, 0)
  if (facts.takenOver) return finish('taken-over', tally, 0)
  if (ended.how === 'infra') return cool(ended.trouble, tally)
  if (facts.stopped) return finish('stopped', tally, 0)
  const failed = { failures: tally.failures + 1, infra: 0 }
  const longest = ceiling(backoff, failed.failures)
  if (ended.how === 'not-found' || ended.how === 'not-executable') return finish('cannot-start', failed, longest)
  const forbidden = admit(facts.pool, facts.type, tally)
  if (forbidden) return forbidden
  if (facts.retriesLeft <= 0) return finish('retries-used-up', failed, longest)
  // Full jitter: jobs that failed together do not come back together.
  return { kind: 'retry', why: 'failed', tally: failed, waitMs: Math.floor(facts.random * longest) }
}

/** What forbids another attempt of a job that has failed; null when it may be made. */
export function admit(pool: PoolState | null, type: JobType, tally: Tally): Final | null {
  if (type === 'shell' || pool === null) return null
  if (pool === 'silent') return cool('daemon-silent', tally)
  const why = haltReason(pool, type)
  return why === null ? null : { kind: 'halt', why, check: pool, tally, waitMs: 0 }
}

function finish(why: FinishReason, tally: Tally, waitMs: number): Final {
  return { kind: 'finish', why, tally, waitMs }
}

function cool(why: Trouble, tally: Tally): Final {
  const infra = tally.infra + 1
  return { kind: 'cool', why, tally: { ...tally, infra }, waitMs: ceiling(infraBackoff, infra) }
}

/** The longest wait after so many failures in a row. */
function ceiling({ firstMs, maxMs }: Backoff, failures: number): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 40))
}
