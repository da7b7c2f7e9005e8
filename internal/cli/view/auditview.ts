import type { AuditShape } from '../../ops/ops.ts'
import type { Cell, Screen } from '../screen.ts'
import { type Times, timesAt } from '../when.ts'
import { laidOut, type Row } from './layout.ts'

/** Below these widths a row takes two lines, or three, so that its kind and what happened are both whole. */
const oneLine = 100
const twoLines = 60

/** The rows of the audit log, oldest first: when, what, to whom, and who did it. */
export function printAudit(screen: Screen, rows: readonly AuditShape[], now: number): void {
  const times = timesAt(now)
  const told = rows.map((row) => columnsOf(row, times))
  const widest = (column: 'seq' | 'at' | 'kind') => Math.max(...told.map((row) => row[column].length))
  const widths = { seq: widest('seq'), at: widest('at'), kind: widest('kind') }
  const width = screen.width ?? Number.POSITIVE_INFINITY
  for (const line of laidOut(
    told.flatMap((row) => linesOf(row, widths, width)),
    screen.width,
  ))
    screen.line(line)
}

interface Columns {
  readonly seq: string
  readonly at: string
  readonly kind: string
  readonly what: string
  readonly by: string
}

type Widths = Readonly<Record<'seq' | 'at' | 'kind', number>>

function linesOf({ seq, at, kind, what, by }: Columns, widths: Widths, width: number): Row[] {
  const number = `${seq.padStart(widths.seq)}  `
  const time = `${at.padEnd(widths.at)}  `
  const figures: Cell[] = [{ text: by, ink: 'dim' }]
  if (width >= oneLine)
    return [{ lead: [number, time, { text: `${kind.padEnd(widths.kind)}  `, ink: 'bold' }], sentence: what, figures }]
  const indent = ' '.repeat(number.length)
  const named = { text: kind, ink: 'bold' } as const
  const below: Row[] = what === '' ? [] : [{ lead: [indent], sentence: what }]
  if (width >= twoLines) return [{ lead: [number, time], sentence: named, figures }, ...below]
  return [{ lead: [number], sentence: at, figures }, { lead: [indent], sentence: named }, ...below]
}

function columnsOf(row: AuditShape, times: Times): Columns {
  return {
    seq: String(row.seq),
    at: times.stamp(row.at),
    kind: row.kind,
    what: whatOf(row, times),
    by: row.actor === 'spillway' ? '' : row.actor,
  }
}

/** What a row says beyond its kind: `openai: a → b (rate limited), until 14:01:00 UTC`. */
export function whatOf({ pool, from, to, reason, suppressed, detail }: AuditShape, times: Times): string {
  const about = from !== null && to !== null && from !== to ? `${from} → ${to}` : (from ?? to)
  const why = reason === null || reason === 'operator' ? '' : `(${reason.replaceAll('-', ' ')})`
  const subject = [[about, why].filter((word) => word).join(' '), ...factsOf(detail, times)]
  if (suppressed > 0) subject.push(`${suppressed} more of the same`)
  const said = subject.filter((fact) => fact !== '').join(', ')
  if (pool === null) return said
  return said === '' ? pool : `${pool}: ${said}`
}

type Say = (value: unknown, times: Times) => string | null

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)
const list = (value: unknown): string | null => (Array.isArray(value) && value.length > 0 ? value.join(', ') : null)
const number = (value: unknown): string | null => (typeof value === 'number' ? String(value) : null)
const instant: Say = (value, times) => (typeof value === 'number' ? times.at(new Date(value).toISOString()) : null)
const prefixed =
  (words: string, say: Say): Say =>
  (value, times) => {
    const said = say(value, times)
    return said === null ? null : `${words} ${said}`
  }

const sources: Readonly<Record<string, string>> = {
  env: 'another key in its variable',
  file: 'another key in its file',
  command: 'another key from its command',
}

/** How the details of rows are said, in this order; what stands in none of these is left to `--json`. */
const phrases: readonly (readonly [key: string, say: Say])[] = [
  ['model', prefixed('for', text)],
  ['status', prefixed('status', number)],
  ['tier', prefixed('tier', number)],
  ['served', (value) => (typeof value === 'number' ? `${value} requests served` : null)],
  ['until', prefixed('until', instant)],
  ['retryAt', prefixed('back at', instant)],
  ['nextAttemptAt', prefixed('next try at', instant)],
  ['endsAt', prefixed('ends at', instant)],
  ['exhaustedAt', prefixed('exhausted since', instant)],
  ['downAt', prefixed('down since', instant)],
  ['refused', (value) => (typeof value === 'number' && value > 0 ? `${value} requests refused` : null)],
  ['what', text],
  ['how', prefixed('by', text)],
  ['by', prefixed('by', text)],
  ['provider', text],
  ['source', (value) => (typeof value === 'string' ? (sources[value] ?? value) : null)],
  ['host', text],
  ['path', text],
  ['before', prefixed('before:', text)],
  ['after', prefixed('now:', text)],
  ['pools', prefixed('for', list)],
  ['problems', list],
  ['attempts', (value) => (typeof value === 'number' ? `${value} attempts` : null)],
  ['pending', (value) => (typeof value === 'number' ? `${value} jobs wait` : null)],
  ['files', (value) => (typeof value === 'number' ? `${value} files` : null)],
  ['step', prefixed('at', text)],
  ['said', text],
  ['since', prefixed('since', instant)],
]

function factsOf(detail: AuditShape['detail'], times: Times): string[] {
  return phrases.flatMap(([key, say]) => say(detail[key], times) ?? [])
}
