import type { Case } from './case.ts'

/** Cases whose faults are known and not mended yet: each line is to go with its mending. */
const known: readonly (readonly [why: string, is: (one: Case) => boolean])[] = []

/** Why a case is not played; null when it is. */
export function exclusion(one: Case): string | null {
  if (process.env.FUZZ_ALL) return null
  return known.find(([, is]) => is(one))?.[0] ?? null
}
