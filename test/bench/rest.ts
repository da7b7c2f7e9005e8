/** What a spillway takes that has nothing to do, and how long it takes to start. */
import { setTimeout as wait } from 'node:timers/promises'
import { type Finding, said } from './finding.ts'
import { cpuSeconds, residentBytes } from './process.ts'
import { together } from './together.ts'
import { spillway } from './variants.ts'

/** One spillway after the other, each with so many credentials. */
export async function rest(numbers: readonly number[]): Promise<Finding> {
  const seen: Resting[] = []
  for (const credentials of numbers) seen.push(await atRest(credentials))
  return { lines: seen.map(lineOf), facts: seen, targets: [] }
}

function lineOf({ credentials, startMs, bytes, busy }: Resting): string {
  const held = `${said(bytes / 1_048_576, 0)} MiB and ${said(100 * busy, 1)} % of a core at rest`
  return `With ${credentials} credentials: ${Math.round(startMs)} ms to start, ${held}`
}

interface Resting {
  readonly credentials: number
  readonly startMs: number
  readonly bytes: number
  /** The share of a core that it takes with nothing to do. */
  readonly busy: number
}

function atRest(credentials: number): Promise<Resting> {
  return together([spillway('at rest', { members: credentials, limited: 0 })], async ({ proxies: [proxy] }) => {
    if (!proxy) throw new Error('spillway did not start')
    await wait(2_000)
    const before = cpuSeconds(proxy.pids())
    await wait(2_000)
    const busy = (cpuSeconds(proxy.pids()) - before) / 2
    return { credentials, startMs: proxy.startMs ?? Number.NaN, bytes: residentBytes(proxy.pids()[0] ?? 0), busy }
  })
}
