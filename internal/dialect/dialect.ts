/**
 * What each provider's API means and wants to hear: where keys sit, how to inject, what a response says, how to phrase
 * an error. A dialect is the shape of an API (`shapes/`) with the profile of a provider (`providers/`), which is data.
 */
import type { Dialect, Provider, Shape, Spoken } from './port.ts'
import type { Profile } from './profile.ts'
import { anthropic } from './providers/anthropic.ts'
import { azure } from './providers/azure.ts'
import { ark, dashscope, kimi, minimax, moonshot, siliconflow } from './providers/china.ts'
import { codex } from './providers/codex.ts'
import { generic } from './providers/generic.ts'
import { gemini, vertex } from './providers/google.ts'
import { bedrock, cerebras, deepseek, fireworks, groq, mistral, together, xai } from './providers/hosts.ts'
import { openai } from './providers/openai.ts'
import { openrouter } from './providers/openrouter.ts'
import { zai } from './providers/zai.ts'
import { anthropicShaped } from './shapes/anthropic.ts'
import { geminiShaped } from './shapes/gemini.ts'
import { openaiShaped } from './shapes/openai.ts'

export { type ClientKind, clientKind } from './clients.ts'
export { conversationInBody, conversationInHeaders, conversationInText } from './conversation.ts'
export { isOneFamily, pathFor, spokenTo } from './family.ts'
export { remembered } from './headers.ts'
export { foreignIssuer } from './issuer.ts'
export { findClientKey, isKeyHeader, stripKeyFromProtocols, stripKeyFromQuery } from './keys.ts'
export { type Look, type UsageEndpoint, usageEndpoint } from './look.ts'
export { modelAsked } from './model-name.ts'
export { asksResponse, continuation, continuedIn, idInPath, isAboutUploads, uploadFields, uploadsIn } from './owned.ts'
export type * from './port.ts'
export { providers, shapes } from './port.ts'
export { isLoginToken } from './providers/anthropic.ts'
export type { Login, TokenEndpoint } from './token-endpoint.ts'
export { classifyTokenError, tokenEndpoints } from './token-endpoint.ts'
export { asksModel, type Tokens, type ToldUsage, tokensTold } from './tokens.ts'
export { isUsageHeader, limitsIn, tellsOfLimits, usageOf } from './usage.ts'

const profiles: Readonly<Record<Provider, Profile>> = {
  openai,
  codex,
  anthropic,
  gemini,
  openrouter,
  azure,
  xai,
  deepseek,
  zai,
  kimi,
  moonshot,
  minimax,
  dashscope,
  ark,
  siliconflow,
  mistral,
  groq,
  together,
  fireworks,
  cerebras,
  bedrock,
  vertex,
  generic,
}

const shaped = { openai: openaiShaped, anthropic: anthropicShaped, gemini: geminiShaped }

/** The shapes of API that a provider offers; the first is the one that is meant when none is named. */
export function shapesOf(provider: Provider): readonly Shape[] {
  return Object.keys(profiles[provider].offers) as Shape[]
}

const made = new Map<string, Dialect>()

/** The dialect of that provider, in one of the shapes that it offers (null: its own); throws for a shape that it does not offer. */
export function dialectOf(provider: Provider, shape: Shape | null = null): Dialect {
  const wanted = shape ?? shapesOf(provider)[0]!
  const name = `${provider} ${wanted}`
  const known = made.get(name)
  if (known) return known
  const profile = profiles[provider]
  const offer = profile.offers[wanted]
  if (!offer) throw new Error(`${provider} does not offer the shape ${wanted}`)
  const dialect = shaped[wanted](profile, offer)
  made.set(name, dialect)
  return dialect
}

/** The dialect of a stored pool or credential, whose names were checked when it was made. */
export function spokenBy({ provider, shape }: Spoken): Dialect {
  return dialectOf(provider as Provider, (shape as Shape | undefined) ?? null)
}
