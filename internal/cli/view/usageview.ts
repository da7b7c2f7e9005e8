import type { UsageShape } from '../../ops/ops.ts'
import type { Screen } from '../screen.ts'

const dimensions = ['key', 'member', 'model', 'pool'] as const

/** What went through as a table, with the sum of all below it and a remark about the costs. */
export function printUsage(screen: Screen, rows: readonly UsageShape[]): void {
  const [first] = rows
  if (first === undefined) {
    screen.note('nothing went through')
    return
  }
  const shown = dimensions.filter((dimension) => first[dimension] !== null)
  const numbers = [...rows.map(figures), figures(sumOf(rows))]
  const widths = headings.map((heading, at) => Math.max(heading.length, ...numbers.map((row) => row[at]?.length ?? 0)))
  const right = (row: readonly string[]) => row.map((text, at) => text.padStart(widths[at] ?? 0))
  const names = rows.map((row) => shown.map((dimension) => row[dimension] || '-'))
  const total = shown.map((_, at) => (at === 0 ? 'total' : ''))
  screen.table(
    [...shown.map((dimension) => dimension.toUpperCase()), ...right(headings)],
    [...names, ...(shown.length > 0 ? [total] : [])].map((row, at) => [...row, ...right(numbers[at] ?? [])]),
  )
  for (const remark of remarks(rows)) screen.note(remark)
}

const headings = ['REQUESTS', 'INPUT', 'CACHED', 'OUTPUT', 'REASONING', 'COST']

function figures({ requests, tokens, cost, knownCost }: Sum): string[] {
  const { input, cached, output, reasoning } = tokens
  return [
    short(requests),
    short(input),
    input === 0 ? '-' : `${Math.round((100 * cached) / input)}%`,
    short(output),
    short(reasoning),
    cost === null ? (knownCost > 0 ? `> ${money(knownCost)}` : '-') : money(cost),
  ]
}

type Sum = Pick<UsageShape, 'requests' | 'unmetered' | 'tokens' | 'cost' | 'knownCost'>

function sumOf(rows: readonly UsageShape[]): Sum {
  const sum = (of: (row: UsageShape) => number) => rows.reduce((all, row) => all + of(row), 0)
  return {
    requests: sum((row) => row.requests),
    unmetered: sum((row) => row.unmetered),
    tokens: {
      input: sum(({ tokens }) => tokens.input),
      cached: sum(({ tokens }) => tokens.cached),
      cacheWrite: sum(({ tokens }) => tokens.cacheWrite),
      output: sum(({ tokens }) => tokens.output),
      reasoning: sum(({ tokens }) => tokens.reasoning),
    },
    cost: rows.some(({ cost }) => cost === null) ? null : sum(({ knownCost }) => knownCost),
    knownCost: sum(({ knownCost }) => knownCost),
  }
}

function remarks(rows: readonly UsageShape[]): string[] {
  const { unmetered, cost } = sumOf(rows)
  const [first] = rows
  const list = first?.pricesAt === null ? 'list prices' : `list prices of ${first?.pricesAt}`
  const told: string[] = [`costs are in dollars by ${list}${cost === null ? '; - where a price is not known' : ''}`]
  if (unmetered > 0) told.push(`${short(unmetered)} of the answers did not tell their tokens`)
  return told
}

const units = ['', 'k', 'M', 'G', 'T'] as const

/** `950`, `12.3k`, `1.2M`. */
export function short(number: number): string {
  let unit = 0
  let value = number
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1_000
    unit++
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1
  return `${value.toFixed(digits)}${units[unit]}`
}

/** `$12.34`, and `$0.0012` of what is less than a cent. */
function money(dollars: number): string {
  if (dollars > 0 && dollars < 0.0001) return '< $0.0001'
  return `$${dollars.toFixed(dollars > 0 && dollars < 0.01 ? 4 : 2)}`
}
