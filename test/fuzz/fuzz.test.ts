/**
 * F33: the data port under cases that a seed makes. `FUZZ_SEED`, `FUZZ_CASES` and `FUZZ_KIND` play others, or one again
 * (README.md).
 */
import { expect, it } from 'vitest'
import type { Case } from './cases/case.ts'
import { shown } from './cases/case.ts'
import { makeCase } from './cases/make.ts'
import { Random } from './cases/random.ts'
import { partFault, partNames } from './parts.ts'
import { playRound, Uncaught } from './play/round.ts'
import { Run } from './play/run.ts'
import { Stage } from './play/stage.ts'
import { ways } from './play/ways.ts'

const { FUZZ_SEED, FUZZ_CASES, FUZZ_KIND, FUZZ_UPSTREAM } = process.env
const seed = Number(FUZZ_SEED ?? 1)
const cases = Number(FUZZ_CASES ?? 3_000)

it.each(ways.filter((way) => way === (FUZZ_UPSTREAM ?? way)))(
  `nothing goes wrong in ${cases} cases from seed ${seed} on, a part of them where the upstream is reached over %s`,
  async (way) => {
    const count = FUZZ_CASES || way === 'tcp' ? cases : cases / 10
    const perRound = Math.min(256, count)
    const order = { seed, cases: count, kind: FUZZ_KIND ?? null, way, atOnce: 64, perRound, mostFindings: 3 }
    const { findings } = await new Run(order).play()
    expect(findings.map((finding) => `${finding.faults.join('\n')}\n${shown(finding.case)}`)).toEqual([])
  },
  600_000,
)

it.each(partNames)('%s: bytes that come cut anywhere mean what they mean as a whole', (name) => {
  const faults: string[] = []
  for (let at = 0; at < Number(FUZZ_CASES ?? 1_000) && faults.length < 3; at++) {
    const fault = partFault(name, new Random(seed + at))
    if (fault !== null) faults.push(`seed ${seed + at}: ${fault}`)
  }
  expect(faults).toEqual([])
})

it('the same seed makes the same case', () => {
  const about = { kind: null, pool: 'p0000', key: 'k' }
  for (let each = 0; each < 50; each++) expect(makeCase(each, about)).toEqual(makeCase(each, about))
})

/** The faults of the first plain case that has been tampered with so. */
async function faultsOf(tampered: (one: Case) => Case): Promise<readonly string[]> {
  const uncaught = new Uncaught()
  const stage = await Stage.start(1, 'tcp')
  const about = { kind: 'whole', pool: stage.pools[0] as string, key: stage.key }
  let one = makeCase(1, about)
  for (let next = 2; one.requests.length !== 1 || one.requests[0]?.name !== 'post'; next++) one = makeCase(next, about)
  const { failed, faults } = await playRound(stage, [tampered(one)], { atOnce: 1, uncaught })
  await stage.close()
  uncaught.stop()
  return [...failed.flatMap((verdict) => verdict.faults), ...faults]
}

it.each<{ name: string; tampered: (one: Case) => Case; fault: RegExp }>([
  {
    name: 'an answer that is not the one that was given',
    tampered: withPlan((plan) => ({ ...plan, sees: { status: 200, body: 'other', may: 'whole' } })),
    fault: /another body|in place of 200/,
  },
  {
    name: 'an answer for somebody else',
    tampered: withPlan((plan) => ({
      ...plan,
      pieces: plan.pieces.map((piece) => piece.replace(/N[0-9a-f]{11}/, 'N00000000fff')),
    })),
    fault: /somebody else's answer/,
  },
  {
    name: 'a request that was to reach nobody',
    tampered: (one) => ({ ...one, requests: one.requests.map((request) => ({ ...request, goes: { to: 'nobody' } })) }),
    fault: /was to reach nobody/,
  },
  {
    name: 'an answer that never comes',
    tampered: (one) => ({
      ...one,
      requests: one.requests.map((request) => ({
        ...request,
        text: request.text.replace(/Content-Length: (\d)/, 'Content-Length: 9$1'),
      })),
    }),
    fault: /no answer|another body|408/,
  },
])('the oracle notices $name', async ({ tampered, fault }) => {
  expect((await faultsOf(tampered)).join('\n')).toMatch(fault)
})

type PlanOf = Case['requests'][number]['plans'][number]

function withPlan(change: (plan: PlanOf) => PlanOf): (one: Case) => Case {
  return (one) => ({
    ...one,
    requests: one.requests.map((request) => ({ ...request, plans: request.plans.map(change) })),
  })
}
