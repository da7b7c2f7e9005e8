/**
 * The pure core: what happens to a member and who serves next, as functions of values and `now`.
 * Nothing in here reads a clock, a file, the network or a random number.
 */
export * from './member.ts'
export * from './outcome.ts'
export * from './refusal.ts'
