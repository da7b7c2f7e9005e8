/**
 * The secrets behind the members: where each comes from, how it is kept fresh, and what the current one is.
 * The data path asks `material(lease)`, which answers at once for a key and may wait for a token that is due.
 */
export { splitCommand } from './command.ts'
export { type CredentialOptions, createCredentials, type LiveCredentials, type Problem } from './live.ts'
export * from './material.ts'
