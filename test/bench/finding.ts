/** What a part of the benchmark found: lines to print, facts for the JSON, and how it stands to the targets. */
export interface Finding {
  readonly lines: readonly string[]
  readonly facts: unknown
  readonly targets: readonly Target[]
}

/** A measured value and what it has to stay below; NaN when it could not be measured. */
export interface Target {
  readonly name: string
  readonly value: number
  readonly atMost: number
}

/** A middle value with its spread. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) }
}

/** The middle value; of an even number, the lower of the two in the middle. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN
}

/**
 * `ours` over `theirs`, round by round: what the machine did in a round met both, so the middle of these ratios varies
 * less than the ratio of the middles.
 */
export function pairedRatio(ours: readonly number[], theirs: readonly number[]): Spread {
  return spreadOf(ours.map((value, round) => value / (theirs[round] ?? Number.NaN)))
}

/** A number for people, or a dash for what was not measured. */
export function said(value: number, digits = 2): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '–'
}

export function saidSpread({ median, min, max }: Spread, digits = 2): string {
  return `${said(median, digits)} (${said(min, digits)}–${said(max, digits)})`
}

/** The targets as lines of a table. */
export function targetLines(targets: readonly Target[]): string[] {
  const width = Math.max(...targets.map(({ name }) => name.length))
  return targets.map(({ name, value, atMost }) => {
    const verdict = Number.isFinite(value) ? (value <= atMost ? 'met' : 'not met') : 'not measured'
    return `  ${name.padEnd(width)}  ${said(value).padStart(8)}   target ≤ ${String(atMost).padEnd(6)} ${verdict}`
  })
}
