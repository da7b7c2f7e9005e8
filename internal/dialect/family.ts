import type { Spoken } from './port.ts'

/** Providers that speak one API well enough to stand in for each other: a Codex login with an OpenAI key behind it. */
const openai: ReadonlySet<string> = new Set(['codex', 'openai', 'azure'])

/** Whether credentials of the one provider may serve in a pool of the other. */
export function isOneFamily(one: string, other: string): boolean {
  return one === other || (openai.has(one) && openai.has(other))
}

/** How a member of that provider is spoken to in the pool: as the pool, or in its own way where it is another provider's. */
export function spokenTo(pool: Spoken, provider: string): Spoken {
  return provider === pool.provider ? pool : { provider, shape: 'openai' }
}

const version = /^\/v\d+[a-z0-9]*(?=\/|$)/
const versionedBase = /\/v\d+[a-z0-9]*\/*$/

/**
 * The path of a pool's client as another provider of the family has it below its base URL. Codex's backend has no version, OpenAI
 * and Azure have one, in the base URL or in the path.
 */
export function pathFor(provider: string, baseUrl: string, path: string): string {
  const rest = path.replace(version, '')
  if (provider === 'codex' || versionedBase.test(baseUrl)) return rest
  return (provider === 'azure' ? '/openai/v1' : '/v1') + rest
}
