import { readableSize } from '../config/schema/units.ts'
import type {
  BudgetShape,
  EnforcedShape,
  GuardShape,
  HotPathShape,
  ProbeShape,
  RecoveryShape,
  WorkerShape,
} from '../ops/ops.ts'
import type { Cell, Ink, Screen } from './screen.ts'
import { relative, relativeOr } from './when.ts'

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

function budgetState({ problem, seenAt, complete, over, overBy, unread }: BudgetShape): Cell {
  if (problem === 'missing') return 'not there yet'
  if (problem !== null) return { text: `cannot be read (${problem})`, ink: 'red' }
  if (seenAt === null) return 'not looked at yet'
  const missed = unread > 0 ? unreadText(unread) : null
  if (over) return { text: [`over (${overBy.join(', ')})`, missed].filter(Boolean).join('; '), ink: 'red' }
  if (missed) return { text: missed, ink: 'yellow' }
  return complete ? { text: 'ok', ink: 'green' } : 'being looked at'
}

/** What is said of directories whose files are not counted. */
export function unreadText(unread: number): string {
  return `${unread.toLocaleString('en')} ${unread === 1 ? 'directory' : 'directories'} could not be read`
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

/** A number of things, in words. */
export function counted(count: number, one: string): string {
  return `${count.toLocaleString('en')} ${one}${count === 1 ? '' : 's'}`
}
