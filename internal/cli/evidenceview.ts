import { readableSize } from '../config/schema/units.ts'
import type { EvidenceShape } from '../ops/ops.ts'
import { counted, unreadText } from './guardview.ts'
import type { Screen } from './screen.ts'
import { localTime, relative, relativeOr } from './when.ts'

/** What to name where there is nothing to look at. */
export const nothingNamed = 'nothing to look at: name a directory, or set guard.budgets in spillway.yaml'

/** Evidence for people. */
export function printEvidence(screen: Screen, found: EvidenceShape, now: number): void {
  for (const line of summary(found, now)) screen.print(line)
  for (const path of found.paths) {
    screen.print('')
    screen.print(screen.paint('bold', path.path))
    for (const trouble of troubles(path)) screen.print(`  ${screen.paint('red', trouble)}`)
    for (const [label, value] of facts(path, now)) screen.print(`  ${label.padEnd(12)} ${value}`)
    for (const [title, files] of lists(path)) {
      screen.print(`  ${title}`)
      for (const { bytes, path: file, at } of files)
        screen.print(`    ${readableSize(bytes).padStart(8)}  ${at === null ? '' : `${localTime(at, now)}  `}${file}`)
    }
  }
}

/** Evidence as Markdown, ready to paste. */
export function evidenceMarkdown(found: EvidenceShape, now: number): string {
  const lines = [`### Evidence at ${found.at}`, '', ...summary(found, now).map((line) => `- ${line}`), '']
  if (found.paths.length === 0) return [...lines, nothingNamed].join('\n')
  lines.push('| path | files | size | per hour | × normal | oldest | newest |', '|---|---|---|---|---|---|---|')
  for (const path of found.paths)
    lines.push(
      `| \`${path.path}\` | ${path.files} | ${readableSize(path.bytes)} | ${path.filesPerHour} files, ${readableSize(path.bytesPerHour)} | ${path.multiplier ?? '-'} | ${path.oldest ?? '-'} | ${path.newest ?? '-'} |`,
    )
  const missed = found.paths.flatMap((path) => troubles(path).map((trouble) => `- \`${path.path}\`: ${trouble}`))
  if (missed.length > 0) lines.push('', ...missed)
  for (const path of found.paths)
    for (const [title, files] of lists(path)) {
      lines.push('', `**${title}** in \`${path.path}\``, '')
      for (const { bytes, path: file, at } of files)
        lines.push(`- ${readableSize(bytes)} \`${file}\`${at === null ? '' : ` ${at}`}`)
    }
  return lines.join('\n')
}

function summary({ breaker, disk, since, paths }: EvidenceShape, now: number): string[] {
  const lines: string[] = []
  if (breaker) {
    const { pool, state, firstError, suppressed } = breaker
    const error = firstError
      ? `; first error ${localTime(firstError.at, now)} (${[firstError.status, firstError.reason].filter((part) => part !== null).join(' ')})`
      : ''
    const refused = suppressed > 0 ? `; ${counted(suppressed, 'request')} refused since` : ''
    lines.push(`breaker of ${pool}: ${state}${error}${refused}`)
  }
  if (disk.freeBytes !== null) {
    const full = disk.fullAt === null ? 'not filling up' : `full ${relative(disk.fullAt, now)} at this growth`
    const reserve = disk.reserveBytes === null ? '' : ` (reserve ${readableSize(disk.reserveBytes)})`
    lines.push(`disk: ${readableSize(disk.freeBytes)} free${reserve}, ${full}`)
  }
  if (paths.length > 0) lines.push(`growth measured since ${localTime(since, now)}`)
  return lines
}

/** What of a path has not been seen. */
function troubles({ problem, unread }: PathEvidence): string[] {
  const missed = unread > 0 ? [`${unreadText(unread)}; what is in them is not counted`] : []
  return problem === null ? missed : [problemText(problem), ...missed]
}

function problemText(problem: string): string {
  return problem === 'missing' ? 'there is nothing at this path' : `cannot be read whole: ${problem}`
}

type PathEvidence = EvidenceShape['paths'][number]

function facts(path: PathEvidence, now: number): [string, string][] {
  const times = path.multiplier === null ? '-' : `${path.multiplier} × the time before the first error`
  return [
    ['holds', `${readableSize(path.bytes)} in ${counted(path.files, 'file')}`],
    ['grows', `${readableSize(path.bytesPerHour)}/h, ${counted(path.filesPerHour, 'file')}/h`],
    ['multiplier', times],
    ['oldest', relativeOr(path.oldest, now)],
    ['newest', relativeOr(path.newest, now)],
  ]
}

function lists(path: PathEvidence): [string, readonly { bytes: number; path: string; at: string | null }[]][] {
  const all: [string, readonly { bytes: number; path: string; at: string | null }[]][] = [
    ['largest', path.largest.map((file) => ({ ...file, at: null }))],
    ['newest', path.newestFiles],
    ['first', path.sample],
  ]
  return all.filter(([, files]) => files.length > 0)
}
