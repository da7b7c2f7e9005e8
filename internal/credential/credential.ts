/**
 * The secrets behind the members: where each comes from, how it is kept fresh, and what the current one is.
 * The data path asks `material(lease)`, which answers at once for a key and may wait for a token that is due.
 */

export type { LiveCredentials, Problem } from './api.ts'
export type { CredentialOptions, RefreshResult } from './context.ts'
export type { Identity } from './identity.ts'
export { createCredentials } from './live.ts'
export * from './material.ts'
export type { LoginSettings } from './oauth/endpoint.ts'
export { formatOf } from './oauth/formats.ts'
export { tokenWrites } from './oauth/place.ts'
export type { TokenSet } from './oauth/tokens.ts'
export { type FoundLogin, importable, loginPath, type Tool } from './sign-in/import.ts'
export type { LoginFlow, LoginPrompt } from './sign-in/login-flow.ts'
export { splitCommand } from './sources/command.ts'
export { keysIn, referenceOf } from './sources/variable.ts'
