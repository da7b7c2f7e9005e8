/**
 * What each provider's API means and wants to hear: where keys sit, how to inject, what a response says, how to phrase
 * an error. One file per provider; all pure functions.
 */
import { anthropic } from './anthropic.ts'
import { azure } from './azure.ts'
import { codex } from './codex.ts'
import { gemini } from './gemini.ts'
import { generic } from './generic.ts'
import { openai } from './openai.ts'
import { openrouter } from './openrouter.ts'
import type { Dialect, Provider } from './port.ts'

export { isLoginToken } from './anthropic.ts'
export { type ClientKind, clientKind } from './clients.ts'
export { remembered } from './headers.ts'
export { findClientKey, isKeyHeader, stripKeyFromProtocols, stripKeyFromQuery } from './keys.ts'
export type * from './port.ts'
export { providers } from './port.ts'
export type { Login, TokenEndpoint } from './token-endpoint.ts'
export { classifyTokenError, tokenEndpoints } from './token-endpoint.ts'
export { isUsageHeader, usageOf } from './usage.ts'

/** The dialect of each provider. */
export const dialects: Readonly<Record<Provider, Dialect>> = {
  openai,
  codex,
  anthropic,
  gemini,
  openrouter,
  azure,
  generic,
}

/** The dialect of that provider. */
export function dialectOf(provider: Provider): Dialect {
  return dialects[provider]
}
