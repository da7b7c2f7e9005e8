/**
 * The pure core: what happens to a member and who serves next, as functions of values and `now`.
 * Nothing in here reads a clock, a file, the network or a random number.
 */
export * from './cap.ts'
export * from './capacity.ts'
export * from './cooldown.ts'
export * from './dedupe.ts'
export * from './gate.ts'
export * from './member.ts'
export * from './merge.ts'
export * from './outcome.ts'
export * from './outlier.ts'
export * from './preempt.ts'
export * from './refusal.ts'
export * from './remedy.ts'
export * from './seat.ts'
export * from './select.ts'
export * from './selection-index.ts'
export * from './storm.ts'
export { type StrategyName, strategies } from './strategy.ts'
export * from './transition.ts'
export * from './tuning.ts'
export * from './usage.ts'
