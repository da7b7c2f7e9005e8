import type { At, ModelFamily } from '../outcome.ts'

/** How much of one limit is used, as the upstream says. */
export interface Usage {
  /** How long the limit's window is (`5h`, `7d`), or the upstream's own word (`requests`); what it limits beside follows: `7d_opus`. */
  readonly window: string
  /** It limits one model, extra usage or slower service only, and not the plan or key as a whole. */
  readonly isPartial?: true
  /** The model family that alone it limits, where the upstream names one. */
  readonly family?: ModelFamily
  /** 0 to 100; more where the upstream allows more. */
  readonly usedPercent: number
  readonly resetAt: At | null
  readonly seenAt: At
  /** Whether it stood on an answer to a request, or was asked for (`usage.look`). */
  readonly source: 'headers' | 'look'
}

/** The limits of one credential as last heard of, shared by all of its seats. */
export interface Meter {
  windows: readonly Usage[]
}

/** How long a limit without a reset is believed, in ms. */
const believedMs = 3_600_000

/** Until when what was heard is believed: the reset of its window, or an hour where it names none. */
export function believedUntil({ resetAt, seenAt }: Usage): At {
  return resetAt ?? seenAt + believedMs
}

/** Whether what was heard still tells something: its window has not reset since. */
export function isCurrent(usage: Usage, now: At): boolean {
  return believedUntil(usage) > now
}

/** No upstream has so many: names that change with each answer would pile up. */
const mostWindows = 32

/** The limits after `heard`: of each window the newest word, in the order in which they came up, without those that have reset since. */
export function mergedUsage(known: readonly Usage[], heard: readonly Usage[], now: At): readonly Usage[] {
  const latest = new Map(known.filter((usage) => isCurrent(usage, now)).map((usage) => [usage.window, usage]))
  for (const usage of heard) latest.set(usage.window, usage)
  return [...latest.values()].slice(-mostWindows)
}

const unitMs: Readonly<Record<string, number>> = { min: 60_000, h: 3_600_000, d: 86_400_000 }

/** The length of a window in ms, as its name says (`5h`, `7d_opus`); null where it says none. */
export function windowMs(window: string): number | null {
  const [, count, unit = ''] = /^(\d+)(min|h|d)(?:_|$)/.exec(window) ?? []
  const ms = unitMs[unit]
  return ms === undefined ? null : Number(count) * ms
}

/** Shorter limits are for bursts, which waiting mends, in ms. */
const shortestLongMs = 3_600_000

/** Whether a window is long enough to be foreseen. */
export function isLong(window: string): boolean {
  return (windowMs(window) ?? 0) >= shortestLongMs
}
