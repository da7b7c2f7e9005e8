/**
 * What happens around the proxy when a login lapses or a mount goes stale: jobs under the breaker of a pool, budgets of
 * directories, hot paths that are recovered, and workers that are started again. Decisions are pure, the shell is thin.
 */

export type { GuardDeps, GuardSignal, PoolFacts } from './context.ts'
export { createLook } from './evidence/look.ts'
export { createGuard, type GuardGauges, type LiveGuard } from './live.ts'
export type { CommandLine } from './run/child.ts'
export { type Backoff, type HaltReason, type JobType, jobDefaults, type Trouble } from './run/policy.ts'
export { processDeps } from './run/process-deps.ts'
export { type Ending, type RunNote, runJob } from './run/run.ts'
export { createSystemCalls, type SystemCalls } from './system-calls.ts'
