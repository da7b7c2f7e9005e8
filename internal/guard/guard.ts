/**
 * Jobs outside the proxy under the breaker of a pool: started only when the pool can serve, retried within bounds, and
 * remembered between runs, so that neither a lapsed login nor a stale mount becomes a storm.
 */
export type { CommandLine } from './child.ts'
export { type Backoff, type HaltReason, type JobType, jobDefaults, type Trouble } from './policy.ts'
export { type Ending, type RunNote, runJob } from './run.ts'
export { processWorld } from './world.ts'
