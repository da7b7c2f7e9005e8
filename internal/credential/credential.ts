/**
 * The secrets behind the members: where each comes from, how it is kept fresh, and what the current one is.
 * The data path asks `material(lease)`, which answers at once for a key and may wait for a token that is due.
 */
export { splitCommand } from './command.ts'
export type { LoginSettings } from './endpoint.ts'
export type { LoginFlow, LoginPrompt } from './flow.ts'
export { formatOf } from './formats.ts'
export { type FoundLogin, importable, loginPath, type Tool } from './import.ts'
export { createCredentials, type LiveCredentials, type Problem } from './live.ts'
export * from './material.ts'
export { tokenWrites } from './place.ts'
export type { CredentialOptions, RefreshResult } from './surroundings.ts'
export type { TokenSet } from './tokens.ts'
export { keysIn, referenceOf } from './variable.ts'
