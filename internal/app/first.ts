import type { Provider } from '../dialect/dialect.ts'
import { localKeyName, type Ops } from '../ops/ops.ts'

/** Makes the client key `local` where there is no key at all; returns it bare, once, or null when there is one already. */
export async function firstKey(ops: Ops): Promise<string | null> {
  if ((await ops.keyList({})).length > 0) return null
  return (await ops.keyCreate({ name: localKeyName, keep: true })).key
}

const variables = [
  ['openai', 'OPENAI_API_KEY'],
  ['anthropic', 'ANTHROPIC_API_KEY'],
  ['gemini', 'GEMINI_API_KEY'],
] as const satisfies readonly (readonly [Provider, string])[]

/**
 * Makes pools of the keys that stand in well-known environment variables, comma-separated, for providers without a pool of
 * their name; returns the names of the pools that were made.
 */
export async function poolsFromEnvironment(
  ops: Ops,
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly string[]> {
  const pools = new Set((await ops.poolList({})).map(({ name }) => name))
  const existing = new Set((await ops.credList({})).map(({ name }) => name))
  const made: string[] = []
  for (const [provider, variable] of variables) {
    const keys = (env[variable] ?? '')
      .split(',')
      .map((key) => key.trim())
      .filter((key) => key !== '')
    if (keys.length === 0 || pools.has(provider)) continue
    const members = keys.map((_, at) => (keys.length === 1 ? provider : `${provider}-${at + 1}`))
    for (const [at, name] of members.entries()) {
      if (existing.has(name)) continue
      const source = { kind: 'env' as const, variable: keys.length === 1 ? variable : `${variable}#${at + 1}` }
      await ops.credAdd({ name, provider, source })
    }
    await ops.poolCreate({ name: provider, provider, members })
    made.push(provider)
  }
  return made
}
