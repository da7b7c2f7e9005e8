import type { DomainEvent } from '../../events/events.ts'
import { span } from '../../when/when.ts'
import type { Saying } from './saying.ts'
import { counted, nameOf, plain } from './words.ts'

type Event<K extends DomainEvent['kind']> = Extract<DomainEvent, { kind: K }>

const dayMs = 86_400_000

/** `codex runs dry Thu 14:00, 19 h before the next relief (work, Fri 09:00). ci burns 62 %.` */
export function runsDry({ pool, detail }: Event<'pool_runs_dry'>, { weekday }: Saying): string {
  const { dryAt, reliefAt, reliefMember, burner } = detail
  const relief =
    reliefAt === null
      ? ', and no member returns by itself'
      : `, ${span(reliefAt - dryAt)} before the next relief (${nameOf(reliefMember)}, ${weekday(reliefAt)})`
  const burns = burner === null ? '' : ` ${plain(burner.key)} burns ${Math.round(burner.share * 100)} %.`
  return `${nameOf(pool)} runs dry ${weekday(dryAt)}${relief}.${burns}`
}

/** `work is back 5 days early (its weekly limit was reset).` */
export function wasReset({ from, at, detail }: Event<'cred_reset'>): string {
  const early = Math.max(0, detail.until - at)
  const days = Math.round(early / dayMs)
  const said = early < dayMs ? span(early) : counted(days, 'day')
  return `${nameOf(from)} is back ${said} early (its ${limitOf(detail.window)} was reset).`
}

/** `weekly limit`, `5 h limit`, `weekly limit of opus`. */
function limitOf(window: string | null): string {
  const [, count, unit = '', what] = /^(\d+)(min|h|d)(?:_(.+))?$/.exec(window ?? '') ?? []
  if (count === undefined) return 'limit'
  const length = window?.startsWith('7d') ? 'weekly limit' : `${count} ${unit} limit`
  return what === undefined ? length : `${length} of ${plain(what)}`
}
