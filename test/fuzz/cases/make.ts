import type { Case } from './case.ts'
import { kinds, type MakeCase } from './kinds.ts'
import { Random } from './random.ts'

/** Names of all kinds. */
export const kindNames = kinds.map(([, name]) => name)

/** The case of a seed, of a kind that the seed chooses unless it is named; played in that pool with that key. */
export function makeCase(seed: number, about: { kind: string | null; pool: string; key: string }): Case {
  const random = new Random(seed)
  const table = kinds.map(([weight, name, make]) => [weight, { name, make }] as const)
  const chosen = random.weighted<{ name: string; make: MakeCase }>(table)
  const found = about.kind === null ? chosen : table.find(([, { name }]) => name === about.kind)?.[1]
  if (!found) throw new Error(`there is no kind ${about.kind}; there are ${kindNames.join(', ')}`)
  let count = 0
  const nonce = () => `N${(seed >>> 0).toString(16).padStart(8, '0')}${(count++).toString(16).padStart(3, '0')}`
  const place = { random, pool: about.pool, key: about.key, nonce, mayMove: true }
  return { ...found.make(place), kind: found.name, seed: seed >>> 0, pool: about.pool }
}
