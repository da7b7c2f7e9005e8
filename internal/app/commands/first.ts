import { keysIn, referenceOf } from '../../credential/credential.ts'
import type { Provider } from '../../dialect/dialect.ts'
import { holdsKey } from '../../keys/keys.ts'
import { localKeyName, type Ops, Refusal } from '../../ops/ops.ts'

/** Makes the client key `local` where there is no key at all; returns it bare, once, or null when there is one already. */
export async function firstKey(ops: Ops): Promise<string | null> {
  if ((await ops.keyList({})).length > 0) return null
  return (await unlessMade(ops.keyCreate({ name: localKeyName, keep: true })))?.key ?? null
}

/** What was made; null where another replica, which starts in the same moment, has made it first. */
async function unlessMade<T>(making: Promise<T>): Promise<T | null> {
  try {
    return await making
  } catch (error) {
    if (error instanceof Refusal && error.code === 'conflict') return null
    throw error
  }
}

const variables = [
  ['openai', 'OPENAI_API_KEY'],
  ['anthropic', 'ANTHROPIC_API_KEY'],
  ['gemini', 'GEMINI_API_KEY'],
] as const satisfies readonly (readonly [Provider, string])[]

/** What the well-known variables came to, as sentences for whoever started it. */
export interface Found {
  readonly notes: readonly string[]
  /** What is wrong with one of them. */
  readonly warnings: readonly string[]
}

/**
 * Makes pools of the keys that stand in well-known environment variables, for providers without a pool of their name, and
 * keeps these keys sealed. When a variable has been changed since and holds more keys than its pool has members from it, the
 * further ones join; `changed` names such variables.
 */
export async function poolsFromEnvironment(
  ops: Ops,
  env: Readonly<Record<string, string | undefined>>,
  changed: ReadonlySet<string>,
): Promise<Found> {
  const pools = new Set((await ops.poolList({})).map(({ name }) => name))
  const notes: string[] = []
  const warnings: string[] = []
  for (const [provider, variable] of variables) {
    const keys = usable(env[variable] ?? '', variable, warnings)
    if (keys === 0) continue
    if (pools.has(provider))
      notes.push(...(changed.has(variable) ? await joined(ops, { provider, variable, keys }) : []))
    else notes.push(...(await founded(ops, { provider, variable, keys })))
  }
  return { notes, warnings }
}

/** How many keys the variable holds; none, and a warning, when one of them cannot be used. */
function usable(value: string, variable: string, warnings: string[]): number {
  try {
    const keys = keysIn(value, variable)
    if (!keys.some(holdsKey)) return keys.length
    warnings.push(`${variable} holds a client key of spillway itself, which no upstream knows: unset it here`)
  } catch (error) {
    warnings.push(error instanceof Error ? error.message : `${variable} cannot be read`)
  }
  return 0
}

interface Keys {
  readonly provider: Provider
  readonly variable: string
  readonly keys: number
}

async function founded(ops: Ops, { provider, variable, keys }: Keys): Promise<readonly string[]> {
  const existing = new Set((await ops.credList({})).map(({ name }) => name))
  const members = Array.from({ length: keys }, (_, at) => (keys === 1 ? provider : `${provider}-${at + 1}`))
  for (const [at, name] of members.entries())
    if (!existing.has(name)) await unlessMade(ops.credAdd({ name, provider, source: kept(variable, at + 1) }))
  if (!(await unlessMade(ops.poolCreate({ name: provider, provider, members })))) return []
  return [`${counted(keys)} of ${variable} ${keys === 1 ? 'is' : 'are'} now kept sealed (pool ${provider})`]
}

/** The keys that have been added to a variable become members of the pool in which the others of that variable are. */
async function joined(ops: Ops, { provider, variable, keys }: Keys): Promise<readonly string[]> {
  const credentials = await ops.credList({})
  const from = credentials.flatMap(({ source, pools }) =>
    source.kind === 'env' && pools.includes(provider) ? [referenceOf(source.variable)] : [],
  )
  const known = new Set(from.filter(({ name }) => name === variable).map(({ number }) => number))
  const further = Array.from({ length: keys }, (_, at) => at + 1).filter((number) => !known.has(number))
  if (known.size === 0 || further.length === 0) return []
  const taken = new Set(credentials.map(({ name }) => name))
  for (const number of further) {
    const name = freeName(provider, number, taken)
    taken.add(name)
    await ops.credAdd({ name, provider, source: kept(variable, number) })
    await ops.poolAdd({ name: provider, member: name })
  }
  const verb = further.length === 1 ? 'joins' : 'join'
  return [
    `${counted(further.length)} that ${variable} holds besides ${verb} the pool ${provider} and ${further.length === 1 ? 'is' : 'are'} now kept sealed`,
  ]
}

function freeName(provider: string, number: number, taken: ReadonlySet<string>): string {
  for (let at = number; ; at++) if (!taken.has(`${provider}-${at}`)) return `${provider}-${at}`
}

function kept(variable: string, number: number) {
  return { kind: 'env' as const, variable: `${variable}#${number}`, kept: true }
}

function counted(keys: number): string {
  return keys === 1 ? 'one key' : `${keys} keys`
}
