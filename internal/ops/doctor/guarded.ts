import type { GuardShape } from '../guard.ts'
import type { DoctorRow } from './row.ts'

/** What the guard sees: a row for each directory that is over or unreadable, path that is not readable, and worker that cannot be judged. */
export function guardRows({ budgets, hotPaths, workers }: GuardShape): DoctorRow[] {
  const rows: DoctorRow[] = []
  for (const { name, path, over, overBy, problem } of budgets) {
    if (problem !== null && problem !== 'missing')
      rows.push(warning(`budget ${name}`, `${path} cannot be read (${problem})`, `ls -ld ${path}`))
    else if (over)
      rows.push(
        warning(`budget ${name}`, `it is over: ${overBy.join(', ')}`, `spillway guard enforce ${name} --dry-run`),
      )
  }
  for (const { name, path, state } of hotPaths)
    if (state !== null && state !== 'readable')
      rows.push(warning(`hot path ${name}`, `${path ?? 'it'} is ${state}`, `spillway guard recover ${name} --dry-run`))
  for (const { name, reason } of workers)
    if (reason === 'check-failed')
      rows.push(
        warning(
          `worker ${name}`,
          'what is asked about it does not answer',
          `run isActive, pending and running of ${name} by hand`,
        ),
      )
  const count = budgets.length + hotPaths.length + workers.length
  if (rows.length > 0 || count === 0) return rows
  const counted = `nothing is wrong with what is guarded (budgets: ${budgets.length}, hot paths: ${hotPaths.length}, workers: ${workers.length})`
  return [{ check: 'guard', state: 'ok', message: counted, hint: null }]
}

function warning(check: string, message: string, hint: string): DoctorRow {
  return { check, state: 'warn', message, hint }
}
