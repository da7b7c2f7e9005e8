import { readableSize } from '../config/schema/units.ts'
import type {
  BudgetShape,
  EnforcedShape,
  EvidenceShape,
  GuardShape,
  HotPathShape,
  ProbeShape,
  RecoveryShape,
  WorkerShape,
} from '../ops/ops.ts'
import type { Cell, Ink, Screen } from './screen.ts'
import { localTime, relative, relativeOr } from './when.ts'

/** Everything that is guarded, as tables. */
export function printGuard(screen: Screen, { budgets, hotPaths, workers }: GuardShape, now: number): void {
  if (budgets.length + hotPaths.length + workers.length === 0)
    screen.note('nothing is guarded; the section guard of spillway.yaml says what is (docs/guard.md)')
  let first = true
  const table = (headings: readonly string[], rows: readonly (readonly Cell[])[]) => {
    if (rows.length === 0) return
    if (!first) screen.print('')
    first = false
    screen.table(headings, rows)
  }
  table(
    ['BUDGET', 'PATH', 'SIZE', 'FILES', 'OLDEST', 'GROWTH', 'ACTION', 'STATE'],
    budgets.map((budget) => budgetRow(budget, now)),
  )
  table(
    ['HOT PATH', 'PATH', 'STATE', 'SINCE', 'RECOVERY', 'LAST RECOVERY'],
    hotPaths.map((hot) => hotPathRow(hot, now)),
  )
  table(
    ['WORKER', 'ACTIVE', 'PENDING', 'RUNNING', 'DECISION', 'LOOKED AT'],
    workers.map((worker) => workerRow(worker, now)),
  )
}

function budgetRow(budget: BudgetShape, now: number): readonly Cell[] {
  const { name, path, bytes, files, oldestAt, growthBytesPerHour, action } = budget
  return [
    name,
    path,
    readableSize(bytes),
    files.toLocaleString('en'),
    relativeOr(oldestAt, now),
    `${readableSize(growthBytesPerHour)}/h`,
    action,
    budgetState(budget),
  ]
}

function budgetState({ problem, seenAt, complete, over, overBy }: BudgetShape): Cell {
  if (problem === 'missing') return 'not there yet'
  if (problem !== null) return { text: `cannot be read (${problem})`, ink: 'red' }
  if (seenAt === null) return 'not looked at yet'
  if (over) return { text: `over (${overBy.join(', ')})`, ink: 'red' }
  return complete ? { text: 'ok', ink: 'green' } : 'being looked at'
}

const pathInks: Readonly<Record<string, Ink>> = { readable: 'green' }

function hotPathRow({ name, path, state, since, lastRecovery, enabled }: HotPathShape, now: number): readonly Cell[] {
  return [
    name,
    path ?? '-',
    state === null ? 'not looked at yet' : { text: state, ink: pathInks[state] ?? 'red' },
    relativeOr(since, now),
    enabled === null ? '-' : enabled ? 'on' : 'off',
    lastRecovery === null
      ? '-'
      : `${lastRecovery.result}${lastRecovery.reason === null ? '' : ` (${lastRecovery.reason})`} ${relative(lastRecovery.at, now)}`,
  ]
}

function workerRow(
  { name, active, pending, running, decision, reason, at }: WorkerShape,
  now: number,
): readonly Cell[] {
  const known = (value: number | null) => (value === null ? '?' : String(value))
  const isWell = decision === 'started' || reason === 'active' || reason === 'nothing-pending'
  const text = decision === null ? '-' : decision === 'started' ? 'started' : `not started: ${reason}`
  return [
    name,
    active === null ? '?' : active ? { text: 'yes', ink: 'green' } : 'no',
    known(pending),
    running === null ? '-' : String(running),
    { text, ink: isWell ? 'green' : 'yellow' },
    relativeOr(at, now),
  ]
}

/** The paths that were probed. */
export function printProbe(screen: Screen, { name, state, paths }: ProbeShape): void {
  screen.print(`${name} is ${screen.paint(pathInks[state] ?? 'red', state)}`)
  if (paths.length === 0) {
    screen.print('  no path is needed by the next jobs')
    return
  }
  screen.table(
    ['PATH', 'STATE', 'TOOK'],
    paths.map(({ path, state: each, ms }) => [path, { text: each, ink: pathInks[each] ?? 'red' }, `${ms} ms`]),
  )
}

const refusals: Readonly<Record<string, string>> = {
  disabled: 'recovery is off: unmount is not set, or the sentinel file is not there (spillway guard enable makes it)',
  'not-stale': 'no path answers ENOTCONN, so there is nothing to recover',
  'outside-root': 'the stale path is not under root',
  'not-a-mountpoint': 'the stale path is not itself a mountpoint',
  busy: 'running work that is healthy would be disturbed, or what runs could not be found out',
  'rate-limited': 'it was recovered as often as an hour allows',
}

/** What a recovery did, would do, or why not. */
export function printRecovery(screen: Screen, { name, result, reason, steps }: RecoveryShape): void {
  if (result === 'refused') {
    screen.print(`${name}: refused (${reason}): ${refusals[reason ?? ''] ?? reason}`)
    return
  }
  const said = { done: 'recovered', 'dry-run': 'would do this', failed: `failed at ${reason}` }[result]
  screen.print(`${name}: ${said}`)
  screen.table(
    ['STEP', 'RESULT', 'TOOK', 'COMMAND'],
    steps.map(({ step, command, result: each, ms }) => [
      step,
      { text: each, ink: each === 'done' || each === 'planned' ? 'green' : each === 'skipped' ? 'dim' : 'red' },
      ms === null ? '-' : `${ms} ms`,
      command?.join(' ') ?? '(until it can be read)',
    ]),
  )
}

/** What enforcing a budget did, as a sentence. */
export function enforcedText(done: EnforcedShape): string {
  const { name, over, overBy, bytes, files, pruned, kept, dryRun, problem, action } = done
  const holds = `${readableSize(bytes)} in ${counted(files, 'file')}`
  if (problem === 'missing') return `${name}: there is no ${done.path} yet`
  if (problem !== null) return `${name}: ${done.path} cannot be read (${problem})`
  const gone = `${counted(pruned.files, 'file')} (${readableSize(pruned.bytes)})`
  const deleted = pruned.files === 0 ? '' : dryRun ? `; would delete ${gone}` : `; deleted ${gone}`
  const left = [
    kept.first > 0 && `${kept.first} first evidence`,
    kept.open > 0 && `${kept.open} open for writing`,
    kept.changed > 0 && `${kept.changed} changed or not deletable`,
  ].filter((part) => part !== false)
  const stays = left.length === 0 ? '' : `; kept ${left.join(', ')}`
  const state = over ? `over (${overBy.join(', ')})` : 'within its budget'
  const hint = over && action === 'report' ? '; nothing is deleted (action: report)' : ''
  return `${name}: ${state}, ${holds}${deleted}${stays}${hint}`
}

function counted(count: number, one: string): string {
  return `${count.toLocaleString('en')} ${one}${count === 1 ? '' : 's'}`
}

/** Evidence for people. */
export function printEvidence(screen: Screen, found: EvidenceShape, now: number): void {
  for (const line of summary(found, now)) screen.print(line)
  for (const path of found.paths) {
    screen.print('')
    screen.print(screen.paint('bold', path.path))
    if (path.problem !== null) screen.print(`  ${screen.paint('red', problemText(path.problem))}`)
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
  lines.push('| path | files | size | per hour | × normal | oldest | newest |', '|---|---|---|---|---|---|---|')
  for (const path of found.paths)
    lines.push(
      `| \`${path.path}\` | ${path.files} | ${readableSize(path.bytes)} | ${path.filesPerHour} files, ${readableSize(path.bytesPerHour)} | ${path.multiplier ?? '-'} | ${path.oldest ?? '-'} | ${path.newest ?? '-'} |`,
    )
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
