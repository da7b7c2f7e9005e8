import type { WorkerReason } from '../../events/events.ts'
import type { PathState } from './path.ts'
import { isTooOften, mostStarts } from './rate.ts'

/** Everything that decides whether a worker is started; null stands for what could not be found out. */
export interface WorkerFacts {
  /** Whether its sentinel file exists. */
  readonly enabled: boolean
  readonly active: boolean | null
  /** Jobs that wait. */
  readonly pending: number | null
  /** How old the deployment's lock is; null: there is none. */
  readonly lockAgeMs: number | null
  readonly lockStaleMs: number
  /** What it needs to be readable; null: not known yet. */
  readonly paths: readonly (PathState | null)[]
  /** Jobs that are marked running. */
  readonly running: number | null
  readonly starts: readonly number[]
  /** Whether its pool waits for a person. */
  readonly needsPerson: boolean
  /** A recovery of ours stopped it, in the middle of its work. */
  readonly stoppedByUs: boolean
  readonly now: number
}

export type WorkerDecision =
  | { readonly decision: 'started'; readonly reason: null }
  | { readonly decision: 'refused'; readonly reason: WorkerReason }

/** Whether the worker is started now; the first reason against it counts. */
export function decideWorker(facts: WorkerFacts): WorkerDecision {
  const reason = against(facts)
  return reason === null ? { decision: 'started', reason } : { decision: 'refused', reason }
}

/** Whether a deployment holds the lock; one that is too old was left behind. */
export function isLocked({ lockAgeMs, lockStaleMs }: Pick<WorkerFacts, 'lockAgeMs' | 'lockStaleMs'>): boolean {
  return lockAgeMs !== null && lockAgeMs < lockStaleMs
}

function against(facts: WorkerFacts): WorkerReason | null {
  const { enabled, active, pending, paths, running, starts, now } = facts
  if (!enabled) return 'disabled'
  if (active === null) return 'check-failed'
  if (active) return 'active'
  // What we stopped had work, and left jobs marked running: both are our doing.
  if (!facts.stoppedByUs) {
    if (pending === null) return 'check-failed'
    if (pending === 0) return 'nothing-pending'
  }
  if (isLocked(facts)) return 'deploy-locked'
  if (paths.some((state) => state !== 'readable')) return 'storage-unreadable'
  if (!facts.stoppedByUs) {
    if (running === null) return 'check-failed'
    if (running > 0) return 'marked-running'
  }
  if (isTooOften(starts, mostStarts, now)) return 'rate-limited'
  if (facts.needsPerson) return 'needs-person'
  return null
}

/** Whether a worker counts as down: jobs wait, it does not run, and nobody wants it so. */
export function isDown({ active, pending }: WorkerFacts, { reason }: WorkerDecision): boolean {
  return active === false && (pending ?? 0) > 0 && reason !== null && reason !== 'disabled'
}
