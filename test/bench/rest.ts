/** What a spillway takes that has nothing to do, and how long it takes to start. */
import { type Finding, said } from './finding.ts'
import { residentBytes } from './process.ts'
import { together } from './together.ts'
import { spillway } from './variants.ts'

export async function rest(): Promise<Finding> {
  const few = await atRest(2)
  const many = await atRest(10_000)
  return {
    lines: [few, many].map(
      ({ credentials, startMs, bytes }) =>
        `With ${credentials} credentials: ${Math.round(startMs)} ms to start, ${said(bytes / 1_048_576, 0)} MiB at rest`,
    ),
    facts: { few, many },
    targets: [],
  }
}

function atRest(credentials: number): Promise<{ credentials: number; startMs: number; bytes: number }> {
  return together([spillway('at rest', { members: credentials, limited: 0 })], async ({ proxies: [proxy] }) => ({
    credentials,
    startMs: proxy?.startMs ?? Number.NaN,
    bytes: residentBytes(proxy?.pids()[0] ?? 0),
  }))
}
