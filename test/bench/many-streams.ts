/** Thousands of open streams on one process: what each costs, how evenly they get on, and how they end. */
import { setTimeout as wait } from 'node:timers/promises'
import { loadCore } from './cores.ts'
import { type Finding, said, type Target } from './finding.ts'
import { cpuSeconds, descriptorsFor, forkPinned } from './process.ts'
import type { Endings, Progress } from './stream-load.ts'
import { type Held, Stage } from './stream-stage.ts'
import { together } from './together.ts'
import { spillway } from './variants.ts'

/** How many streams are open in the end, by and by, and how long they are watched at each of these numbers. */
export interface StreamPlan {
  readonly counts: readonly number[]
  readonly settleMs: number
  readonly watchMs: number
  /** How long a drain may take; null: neither a drain nor a reader that does not read. */
  readonly drainMs: number | null
}

/** What was seen while so many streams were open. */
interface Level {
  readonly streams: number
  readonly openedPerSecond: number
  /** Resident memory beyond that of a process with few streams, per stream. */
  readonly bytesEach: number
  readonly microsPerEvent: number
  /** The share of its core that the proxy used. */
  readonly busy: number
  readonly progress: Progress
  /** By how many ms the origin itself was late: no proxy makes that good. */
  readonly originLateMs: number
}

interface Stalled {
  /** Soon after the flood began and at the end: it must not grow. */
  readonly soon: Held
  readonly late: Held
  /** How the other streams got on meanwhile. */
  readonly others: Progress
}

interface Drained extends Endings {
  readonly tookMs: number
  readonly exitCode: number | null
}

interface Run {
  readonly levels: readonly Level[]
  readonly stalled: Stalled | null
  readonly drained: Drained | null
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
  const use = async (stage: Stage) => run(stage, { ...plan, counts }, say)
  const seen = await together(
    [variant],
    ({ proxies: [proxy], origin }) => {
      if (!proxy) throw new Error('spillway did not start')
      const load = forkPinned('./stream-load.js', loadCore)
      return use(new Stage(proxy, origin, load)).finally(() => load.kill())
    },
    './stream-origin.js',
  )
  const shortage =
    wanted > descriptors
      ? [`${Math.max(...plan.counts)} streams take ${wanted} descriptors, and a process gets ${descriptors} here`]
      : []
  return {
    lines: [...seen.levels.flatMap(levelLines), ...shortage, ...stalledLines(seen), ...drainedLines(seen)],
    facts: { descriptors, ...seen },
    targets: targetsOf(seen, plan),
  }
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

function progressOf({ min, median, max, seconds, medianGapMs, longestGapMs }: Progress): string {
  const gaps = `longest gap ${said(longestGapMs, 0)} ms, of the middle stream ${said(medianGapMs, 0)} ms`
  return `min/median/max ${min}/${median}/${max} events in ${said(seconds, 0)} s; ${gaps}`
}

function levelLines({ streams, bytesEach, microsPerEvent, busy, ...level }: Level): string[] {
  const cost = `${said(bytesEach / 1_024, 1)} KiB each, ${said(microsPerEvent, 1)} µs of CPU per event`
  return [
    `${streams} open streams, an event a second: ${cost}; ${said(100 * busy, 0)} % of the core`,
    `  ${progressOf(level.progress)} (the origin itself was up to ${said(level.originLateMs, 0)} ms late)`,
    `  opened at ${said(level.openedPerSecond, 0)} a second`,
  ]
}

function stalledLines({ stalled }: Run): string[] {
  if (!stalled) return []
  const { soon, late, others } = stalled
  const kib = (bytes: number) => `${said(bytes / 1_024, 0)} KiB`
  return [
    `A reader that does not read, flooded: ${kib(soon.proxyBytes)}, later ${kib(late.proxyBytes)} in the proxy ` +
      `(and ${kib(late.kernelBytes)} in the kernel)`,
    `  the others meanwhile: ${progressOf(others)}`,
  ]
}

function drainedLines({ drained }: Run): string[] {
  if (!drained) return []
  const { tookMs, exitCode, clean, cut, open } = drained
  return [
    `Drain: ${said(tookMs / 1_000)} s, exit code ${exitCode}; ${clean} streams ended by themselves, ${cut} were cut` +
      `${open > 0 ? `, ${open} never ended` : ''}`,
  ]
}

function targetsOf({ levels, stalled, drained }: Run, { drainMs }: StreamPlan): Target[] {
  const memory = levels.map(({ streams, bytesEach }) => ({
    name: `KiB per open stream, ${streams} of them`,
    value: bytesEach / 1_024,
    atMost: 45,
  }))
  const held = { name: 'KiB held for a reader that does not read', atMost: 1_024 }
  const end = { name: 'a drain under open streams, s', atMost: (drainMs ?? 0) / 1_000 }
  return [
    ...memory,
    ...(stalled ? [{ ...held, value: stalled.late.proxyBytes / 1_024 }] : []),
    ...(drained ? [{ ...end, value: drained.tookMs / 1_000 }] : []),
  ]
}
