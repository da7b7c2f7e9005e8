import { type Finding, said, type Target } from '../finding.ts'
import type { Endings, Progress } from './stream-load.ts'
import type { Held } from './stream-stage.ts'

/** What was seen while so many streams were open. */
export interface Level {
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

export interface Stalled {
  /** Soon after the flood began and at the end: it must not grow. */
  readonly soon: Held
  readonly late: Held
  /** How the other streams got on meanwhile. */
  readonly others: Progress
}

export interface Drained extends Endings {
  readonly tookMs: number
  readonly exitCode: number | null
}

/** Everything that was seen of a run. */
export interface Run {
  readonly levels: readonly Level[]
  readonly stalled: Stalled | null
  readonly drained: Drained | null
}

/** What a run of many streams found, in words, and how it stands to the targets. */
export function streamFinding(
  run: Run & { descriptors: number; shortage: string | null; drainMs: number | null },
): Finding {
  const { levels, shortage, drainMs } = run
  const fewer = shortage === null ? [] : [shortage]
  return {
    lines: [...levels.flatMap(levelLines), ...fewer, ...stalledLines(run), ...drainedLines(run)],
    facts: run,
    targets: targetsOf(run, drainMs),
  }
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

function targetsOf({ levels, stalled, drained }: Run, drainMs: number | null): Target[] {
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
