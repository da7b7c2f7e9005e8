import type { Details, DomainEvent } from '../../events/events.ts'
import type { Saying } from './saying.ts'
import { cause, counted, plain, size } from './words.ts'

type Told = Extract<DomainEvent, { kind: 'worker_down' | 'path_unrecovered' | 'budget_over' | 'budget_filling' }>

/** What the guard tells of workers, paths and directories, as a sentence and what to do. */
export function guardSentence(event: Told, saying: Saying): string {
  const { now, instant } = saying
  const name = plain(event.from ?? '')
  switch (event.kind) {
    case 'worker_down': {
      const { pending, since } = event.detail
      const why =
        event.reason === 'rate-limited'
          ? 'it was started three times within the hour'
          : (cause(event.reason, null) ?? 'for no known reason')
      const from = since === null ? '' : ` since ${instant(since, now)}`
      const wait = pending === 1 ? '1 job waits' : `${pending} jobs wait`
      return `${name} is down while ${wait} (${why}${from}).`
    }
    case 'path_unrecovered': {
      const { path, state, since } = event.detail
      return `${name} (${plain(path)}) is ${states[state] ?? plain(state)} since ${instant(since, now)}.`
    }
    case 'budget_over': {
      const { path, bytes, files, over, prunes } = event.detail
      const holds = `${plain(path)} holds ${size(bytes)} in ${counted(files, 'file')}`
      const next = prunes
        ? 'What may be deleted is deleted, and that is not enough.'
        : 'Nothing is deleted; spillway run starts no job that writes there.'
      return `${name} is over its budget (${over.join(', ')}): ${holds}. ${next}`
    }
    case 'budget_filling':
      return filling(event.detail, event.pool, saying)
  }
}

/** `dead token is filling the disk: ~/.codex/sessions grows 1.2 GiB/h (38 × normal) since codex needs a login (14:05). 6.1 GiB free, full at 19:10.` */
function filling(detail: Details['budget_filling'], pool: string | null, { now, instant }: Saying): string {
  const { path, bytesPerHour, multiplier, errorAt, cause: why, freeBytes, fullAt } = detail
  const times = multiplier === null ? 'nothing before' : `${multiplier} × normal`
  const since = `${plain(pool ?? 'its pool')} ${causes[why]} (${instant(errorAt, now)})`
  const full = fullAt === null ? '' : `, full at ${instant(fullAt, now)}`
  const free = freeBytes === null ? '' : ` ${size(freeBytes)} free${full}.`
  const who = why === 'exhausted' ? 'exhausted pool' : 'dead token'
  return `${who} is filling the disk: ${plain(path)} grows ${size(bytesPerHour)}/h (${times}) since ${since}.${free}`
}

const causes: Readonly<Record<Details['budget_filling']['cause'], string>> = {
  'needs-login': 'needs a login',
  disabled: 'is disabled',
  unreadable: 'has a secret that cannot be read',
  exhausted: 'is exhausted',
}

const states: Readonly<Record<string, string>> = {
  stale: 'stale (its mount is dead)',
  hanging: 'hanging (its mount does not answer)',
  missing: 'missing',
  failing: 'not readable',
}
