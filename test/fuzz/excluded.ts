import type { Case } from './case.ts'

const plain = new Set([
  'get',
  'head',
  'delete',
  'options',
  'post',
  'put',
  'patch',
  'unknown-pool',
  'healthz',
  'readyz',
  'dots',
  'wrong-key',
])

/** Cases whose faults are known and not mended yet: each line is to go with its mending. */
const known: readonly (readonly [why: string, is: (one: Case) => boolean])[] = [
  [
    'what node:http reads is about to be read by ourselves',
    ({ requests }) => requests.some(({ name }) => !plain.has(name)),
  ],
  ['a spoilt request is read by node:http', ({ garbled }) => garbled],
]

/** Why a case is not played; null when it is. */
export function exclusion(one: Case): string | null {
  if (process.env.FUZZ_ALL) return null
  return known.find(([, is]) => is(one))?.[0] ?? null
}
