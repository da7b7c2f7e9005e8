/** Thousands of open streams on one process: what each costs, how evenly they get on, and how they end. */
import { setTimeout as wait } from 'node:timers/promises'
import { loadCore } from '../cores.ts'
import type { Finding } from '../finding.ts'
import { cpuSeconds, descriptorsFor, forkPinned } from '../process.ts'
import { together } from '../together.ts'
import { spillway } from '../variants.ts'
import { type Drained, type Level, type Run, type Stalled, streamFinding } from './stream-finding.ts'
import type { Endings, Progress } from './stream-load.ts'
import { Stage } from './stream-stage.ts'

/** How many streams are open in the end, by and by, and how long they are watched at each of these numbers. */
export interface StreamPlan {
  readonly counts: readonly number[]
  readonly settleMs: number
  readonly watchMs: number
  /** How long a drain may take; null: neither a drain nor a reader that does not read. */
  readonly drainMs: number | null
}

/** So many streams are open already when memory is first looked at: what the first ones load is no cost per stream. */
const few = 50
/** Beside two for each stream: the store, files, and what spillway keeps back to reach upstreams with. */
const otherDescriptors = 512

/** Opens the streams of the plan, fewer where the machine does not grant enough descriptors, and says what it saw. */
export async function manyStreams(plan: StreamPlan, say: (line: string) => void): Promise<Finding> {
  const wanted = 2 * Math.max(...plan.counts) + otherDescriptors
  const descriptors = descriptorsFor(wanted)
  const most = Math.floor((descriptors - otherDescriptors) / 2)
  const counts = plan.counts.map((count) => Math.min(count, most))
  const settings = {
    SPILLWAY_UPSTREAM_CONNECTIONS: '20000',
    ...(plan.drainMs === null ? {} : { SPILLWAY_SERVER_DRAIN_MS: `${plan.drainMs}ms` }),
  }
  const variant = spillway('streams', { members: 2, limited: 0, settings, descriptors })
  const seen = await together(
    [variant],
    ({ proxies: [proxy], origin }) => {
      if (!proxy) throw new Error('spillway did not start')
      const load = forkPinned(new URL('./stream-load.js', import.meta.url), loadCore, [], descriptors)
      return run(new Stage(proxy, origin, load), { ...plan, counts }, say).finally(() => load.kill())
    },
    { module: new URL('./stream-origin.js', import.meta.url), descriptors },
  )
  const shortage =
    wanted > descriptors
      ? `${Math.max(...plan.counts)} streams take ${wanted} descriptors, and a process gets ${descriptors} here`
      : null
  return streamFinding({ ...seen, descriptors, shortage, drainMs: plan.drainMs })
}

async function run(stage: Stage, plan: StreamPlan, say: (line: string) => void): Promise<Run> {
  await stage.open(few)
  await wait(plan.settleMs)
  const restingBytes = stage.residentBytes
  const levels: Level[] = []
  for (const streams of plan.counts) {
    say(`${streams} open streams`)
    levels.push(await level(stage, plan, { streams, open: levels.at(-1)?.streams ?? few, restingBytes }))
  }
  if (plan.drainMs === null) return { levels, stalled: null, drained: null }
  say('a reader that does not read')
  const stalled = await stall(stage, plan)
  say('a drain')
  return { levels, stalled, drained: await drain(stage, plan.drainMs) }
}

async function level(
  stage: Stage,
  { settleMs, watchMs }: StreamPlan,
  { streams, open, restingBytes }: { streams: number; open: number; restingBytes: number },
): Promise<Level> {
  const openedPerSecond = await stage.open(streams - open)
  await wait(settleMs)
  await stage.origin('report')
  const before = cpuSeconds([stage.pid])
  const progress = await stage.load<Progress>({ kind: 'watch', ms: watchMs })
  const cpu = cpuSeconds([stage.pid]) - before
  const { latestMs } = await stage.origin('report')
  return {
    streams,
    openedPerSecond,
    bytesEach: (stage.residentBytes - restingBytes) / (streams - few),
    microsPerEvent: (cpu / progress.events) * 1e6,
    busy: cpu / progress.seconds,
    progress,
    originLateMs: latestMs,
  }
}

async function stall(stage: Stage, { settleMs, watchMs }: StreamPlan): Promise<Stalled> {
  const look = await stage.stall()
  await wait(settleMs)
  const soon = await look()
  const others = await stage.load<Progress>({ kind: 'watch', ms: watchMs })
  return { soon, late: await look(), others }
}

/** SIGTERM; half of the streams end by themselves a second later and the others never. */
async function drain(stage: Stage, drainMs: number): Promise<Drained> {
  const started = performance.now()
  process.kill(stage.pid, 'SIGTERM')
  await wait(Math.min(1_000, drainMs / 2))
  await stage.origin('end half')
  const exitCode = await Promise.race([stage.proxy.ended ?? null, wait(3 * drainMs, null)])
  const tookMs = performance.now() - started
  await wait(500)
  return { ...(await stage.load<Endings>({ kind: 'endings' })), tookMs, exitCode }
}
