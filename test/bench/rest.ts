/** What a spillway takes that has nothing to do, before and after a load, and what it takes to start. */
import { setTimeout as wait } from 'node:timers/promises'
import { timed } from './calls.ts'
import { compare, type Plan } from './compare.ts'
import { type Finding, median, said, type Target } from './finding.ts'
import { cpuSeconds } from './process.ts'
import { plain } from './proxied.ts'
import { type Memory, memoryOf, wakeUpsOf } from './resources.ts'
import { together } from './together.ts'
import { type Running, spillway } from './variants.ts'

export interface RestPlan {
  /** How many credentials each of them has. */
  readonly numbers: readonly number[]
  /** V8 tidies up for some seconds after a start. */
  readonly settleMs: number
  readonly watchMs: number
  readonly load: Plan
}

/** One spillway after the other. */
export async function rest(plan: RestPlan): Promise<Finding> {
  // In seconds, to start and end.
  const bare = median(Array.from({ length: 5 }, () => timed(4, ['-e', '0']).cpu)) / 1_000
  const seen: Resting[] = []
  for (const credentials of plan.numbers) seen.push(await atRest(credentials, plan, bare))
  return { lines: seen.map(lineOf), facts: { bare, seen }, targets: targetsOf(seen) }
}

interface Resting {
  readonly credentials: number
  readonly startMs: number
  /** CPU until `/readyz` answers, in multiples of `node -e 0`. */
  readonly start: number
  readonly before: Quiet
  readonly after: Quiet
}

/** A time in which nothing was asked. */
interface Quiet {
  readonly memory: Memory
  /** Share of a core. */
  readonly busy: number
  readonly wakeUpsPerSecond: number
}

const mebibytes = (bytes: number) => said(bytes / 1_048_576, 0)

function lineOf({ credentials, start, before, after }: Resting): string {
  const quiet = ({ memory: { proportional, own, resident }, busy, wakeUpsPerSecond }: Quiet) =>
    `${mebibytes(proportional)} MiB (own ${mebibytes(own)}, resident ${mebibytes(resident)}), ${said(100 * busy)} % of a core, ${said(wakeUpsPerSecond, 1)} wake-ups/s`
  return `With ${credentials} credentials: ready after ${said(start, 1)} × the CPU of node -e 0; at rest ${quiet(before)}; after a load ${quiet(after)}`
}

async function ready(port: number): Promise<void> {
  while (!(await fetch(`http://127.0.0.1:${port}/readyz`)).ok) await wait(20)
}

function atRest(credentials: number, plan: RestPlan, bare: number): Promise<Resting> {
  return together([spillway('at rest', { members: credentials, limited: 0 })], async ({ proxies: [proxy] }) => {
    if (!proxy) throw new Error('spillway did not start')
    await ready(proxy.port)
    const start = cpuSeconds(proxy.pids()) / bare
    const before = await quiet(proxy, plan)
    await compare([{ proxy, scenario: plain }], plan.load)
    const after = await quiet(proxy, plan)
    return { credentials, startMs: proxy.startMs ?? Number.NaN, start, before, after }
  })
}

async function quiet(proxy: Running, { settleMs, watchMs }: RestPlan): Promise<Quiet> {
  const [pid = 0] = proxy.pids()
  await wait(settleMs)
  const begun = { cpu: cpuSeconds([pid]), wakeUps: wakeUpsOf(pid) }
  await wait(watchMs)
  return {
    memory: memoryOf(pid),
    busy: (cpuSeconds([pid]) - begun.cpu) / (watchMs / 1_000),
    wakeUpsPerSecond: (wakeUpsOf(pid) - begun.wakeUps) / (watchMs / 1_000),
  }
}

function targetsOf([first]: readonly Resting[]): Target[] {
  if (!first) return []
  const { start, before, after } = first
  return [
    { name: 'at rest, MiB', value: before.memory.proportional / 1_048_576, atMost: 55 },
    { name: 'at rest after a load, MiB', value: after.memory.proportional / 1_048_576, atMost: 80 },
    { name: 'at rest, % of a core', value: 100 * before.busy, atMost: 0.1 },
    { name: 'at rest, wake-ups per second', value: before.wakeUpsPerSecond, atMost: 2 },
    { name: 'CPU until ready ÷ node -e 0', value: start, atMost: 8 },
  ]
}
