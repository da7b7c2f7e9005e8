/**
 * What happens around the proxy when a login lapses or a mount goes stale: jobs under the breaker of a pool, budgets of
 * directories, hot paths that are recovered, and workers that are started again. Decisions are pure, the shell is thin.
 */

export { createLook } from './evidence/look.ts'
export { createHands, type Hands } from './hands.ts'
export { createGuard, type GuardGauges, type LiveGuard } from './live.ts'
export type { CommandLine } from './run/child.ts'
export { type Backoff, type HaltReason, type JobType, jobDefaults, type Trouble } from './run/policy.ts'
export { type Ending, type RunNote, runJob } from './run/run.ts'
export { processWorld } from './run/world.ts'
export type { GuardParts, GuardSignal, PoolFacts } from './surroundings.ts'
