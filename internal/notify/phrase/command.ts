import type { Details, DomainEvent } from '../../events/events.ts'
import { needsPerson } from '../incident/condition.ts'
import type { Incident } from '../incident/incident.ts'
import { plain } from './words.ts'

/** A command that helps, and whether it does something or only shows more. */
interface Help {
  readonly word: 'Run' | 'Look'
  readonly command: string
}

/** What a person has to do for a credential. */
type Cure = Exclude<NonNullable<Details['pool_exhausted']['remedy']>, string>

/** The one command that helps most with what is open in these; null when nothing is. */
export function helpFor(family: readonly Incident[]): Help | null {
  const open = family.filter(({ closedAt, lasts }) => closedAt === null && lasts)
  const incident = open.find(({ kind }) => needsPerson(kind)) ?? open[0]
  return incident ? helpOn(incident.event) : null
}

function helpOn(event: DomainEvent): Help | null {
  const from = plain(event.from ?? '')
  const pool = plain(event.pool ?? '')
  switch (event.kind) {
    case 'pool_runs_dry':
      return look(`pool forecast ${pool}`)
    case 'cred_failover':
    case 'backup_serves':
    case 'weak_storm':
      return look(`pool explain ${pool}`)
    case 'pool_rotated':
      return run(`pool unpark ${pool} ${from}`)
    case 'pool_exhausted':
      return event.detail.retryAt === null ? cure(event.detail) : look(`pool explain ${pool}`)
    case 'cred_needs_login':
    case 'cred_unreadable':
      return run(`cred ${event.detail.remedy?.verb ?? 'login'} ${from}`)
    case 'cred_expiring':
      return run(`cred login ${from}`)
    case 'cred_disabled':
      return event.detail.by === 'operator' ? run(`cred enable ${from}`) : run(`cred replace ${from}`)
    case 'keys_guessed':
      return look('key list')
    case 'egress_blocked':
    case 'host_down':
    case 'store_trouble':
    case 'config_rejected':
      return look('doctor')
    case 'worker_down':
      return look('guard status')
    case 'path_unrecovered':
      return run(event.detail.state === 'stale' ? `guard recover ${from} --dry-run` : `guard probe ${from}`)
    case 'budget_over':
      return look(`guard enforce ${from} --dry-run`)
    case 'budget_filling':
      return look('guard evidence')
    default:
      return null
  }
}

/** What a person has to do for a pool that waits for one: the remedy that was told, or what follows from its members' states. */
function cure({ why, remedy }: Details['pool_exhausted']): Help {
  const waits = (state: string, verb: Cure['verb']) => {
    const name = Object.keys(why).find((each) => why[each] === state)
    return name === undefined ? null : { verb, name }
  }
  const known =
    (typeof remedy === 'object' ? remedy : null) ??
    waits('needs-login', 'login') ??
    waits('unreadable', 'show') ??
    waits('disabled', 'replace')
  return known ? run(`cred ${known.verb} ${plain(known.name)}`) : look('status')
}

function run(command: string): Help {
  return { word: 'Run', command: `spillway ${command}` }
}

function look(command: string): Help {
  return { word: 'Look', command: `spillway ${command}` }
}
