import type { Details, DomainEvent } from '../../events/events.ts'
import { counting } from '../incident/decide.ts'
import type { Incident, Line } from '../incident/incident.ts'
import type { At } from '../incident/notice.ts'
import { guardSentence } from './guardphrase.ts'
import { cause, counted, duration, plain, type Wall } from './words.ts'

/** What sentences need to know beside the incident. */
export interface Saying {
  readonly now: At
  readonly wall: Wall
  /** Requests refused so far, of a pool that is exhausted; null when nobody counts them. */
  readonly refused: number | null
  /** What a person has to do is said beside it. */
  readonly hasRemedy?: boolean
}

/** What a person has to do for a credential. */
type Cure = Exclude<NonNullable<Details['pool_exhausted']['remedy']>, string>

type Event<K extends DomainEvent['kind']> = Extract<DomainEvent, { kind: K }>

/** The message of incidents that have one cause. */
export function phraseAll(family: readonly Incident[], sayingOf: (incident: Incident) => Saying): string {
  const hasRemedy = family.some(({ group, closedAt }) => group.startsWith('credential:') && closedAt === null)
  return family.map((incident) => phrase(incident, { ...sayingOf(incident), hasRemedy })).join('\n')
}

/** The message of an incident as it is now: open, or told as a thing of the past. */
export function phrase(incident: Incident, saying: Saying): string {
  const body = incident.closedAt === null || !incident.lasts ? present(incident, saying) : past(incident, saying)
  return incident.persisted ? body : `${body} (not persisted)`
}

/** The sentence that tells the end of an incident once; null when it ended by itself. */
export function phraseEnd(incident: Incident, wall: Wall): string | null {
  const { end } = incident
  if (!end) return null
  const lasted = duration(end.at - incident.openedAt)
  switch (end.kind) {
    case 'pool_recovered':
      return recovered(end, wall)
    case 'cred_revived':
      return `${name(end.from)} is usable again after ${lasted} (${revival[end.detail.how]}).`
    case 'cred_removed':
      return `${name(end.from)} was removed.`
    case 'host_up':
      return `${plain(end.detail.host)} is reachable again after ${duration(end.at - end.detail.downAt)}.`
    case 'worker_up':
      return `${name(end.from)} runs again, or nothing waits any more, after ${duration(end.at - end.detail.downAt)}.`
    case 'path_readable':
      return `${name(end.from)} (${plain(end.detail.path)}) is readable again after ${duration(end.at - end.detail.since)}.`
    case 'budget_within':
      return `${name(end.from)} is within its budget again after ${lasted}.`
    case 'budget_calm':
      return `${plain(end.detail.path)} grows as it did before the error again, after ${lasted}.`
    case 'store_healed':
      return `The store is well again after ${lasted}. What was kept in memory has been written.`
    default:
      return null
  }
}

const revival: Readonly<Record<Details['cred_revived']['how'], string>> = {
  probe: 'a test request succeeded',
  login: 'new login',
  read: 'its secret can be read',
  operator: 'by an operator',
}

function present(incident: Incident, saying: Saying): string {
  const told = incident.lines.map((line) => withRepeats(sentence(line.event, saying), line, incident))
  if (incident.more > 0) told.push(`And ${counted(incident.more, 'more like these', 'more like these')}.`)
  const sofar = soFar(incident, saying)
  return sofar === null ? told.join('\n') : `${told.join('\n')} ${sofar}`
}

function withRepeats(text: string, line: Line, { lasts, kind }: Incident): string {
  const before = line.before > 0 ? ` ${counted(line.before, 'repeat', 'repeats')} before it went untold.` : ''
  if (lasts && !counting.has(kind)) return text
  return line.count > 1 ? `${text} It happened ${line.count} times.${before}` : `${text}${before}`
}

/** What an edit adds to the first telling of something that takes its time. */
function soFar(incident: Incident, { now, refused }: Saying): string | null {
  if (incident.version < 2 || incident.closedAt !== null) return null
  const lasted = `${duration(now - incident.openedAt)} so far`
  if (incident.kind === 'host_down') return `Down for ${lasted}.`
  if (incident.kind !== 'pool_exhausted') return null
  return refused === null
    ? `Exhausted for ${lasted}.`
    : `Exhausted for ${lasted}, ${counted(refused, 'request')} refused.`
}

/** One event as a sentence of its own. */
function sentence(event: DomainEvent, saying: Saying): string {
  const { now, wall } = saying
  const pool = name(event.pool)
  switch (event.kind) {
    case 'cred_failover': {
      const why = [cause(event.reason, event.detail.status), until(event.detail.until, now, wall)]
      const model = event.detail.model ? ` for ${plain(event.detail.model)}` : ''
      return `${pool}: failed over from ${name(event.from)} to ${name(event.to)}${model}${inParentheses(why)}.`
    }
    case 'pool_rotated': {
      const parked = until(event.detail.until, now, wall)
      const aside = [parked && `${name(event.from)} parked ${parked}`]
      return `${pool}: rotated from ${name(event.from)} to ${name(event.to)} by ${plain(event.actor)}${inParentheses(aside)}.`
    }
    case 'pool_exhausted':
      return `${pool} is exhausted${forModel(event.detail)}: ${membersAre(event)}.${nextRecovery(event, saying)}`
    case 'pool_recovered':
      return recovered(event, wall)
    case 'cred_needs_login':
      return `${name(event.from)} needs a login${inParentheses([cause(event.reason, null)])}. ${run(event.detail)}`
    case 'cred_unreadable':
      // Logging in would not help: the file, the variable or the vault has to be mended.
      return `The secret of ${name(event.from)} cannot be read. ${run(event.detail)}`
    case 'cred_expiring':
      return expiring(event, now, wall)
    case 'cred_disabled':
      return disabled(event)
    case 'keys_guessed':
      return `${counted(event.detail.attempts, 'request')} came with a client key that does not exist.`
    case 'egress_blocked':
      return `${pool}: the upstream refuses this machine's network${inParentheses([cause(null, event.detail.status)])}. No member is blamed. Check region, proxy and firewall.`
    case 'weak_storm':
      return `${pool}: ${counted(event.detail.members, 'member')} failed at once without a clear reason. That looks like the upstream or the network, so no member cools for it ${until(event.detail.until, now, wall)}.`
    case 'host_down':
      return `${plain(event.detail.host)} is not reachable${inParentheses([cause(event.reason, null)])}. ${nextAttempt(event.detail.nextAttemptAt, saying)} No member is blamed.`
    case 'store_trouble':
      return `The store is in trouble: ${plain(event.detail.what)}. Requests go on from memory.`
    case 'config_rejected':
      return rejected(event.detail.problems)
    case 'worker_down':
    case 'path_unrecovered':
    case 'budget_over':
    case 'budget_filling':
      return guardSentence(event, saying)
    default:
      return plain(`${event.kind} ${event.pool ?? ''} ${event.from ?? ''} ${event.to ?? ''}`)
  }
}

function past(incident: Incident, saying: Saying): string {
  const { openedAt, closedAt, pool, subject, lines } = incident
  const { now, wall } = saying
  const end = closedAt ?? now
  const lasted = `for ${duration(end - openedAt)}, from ${wall(openedAt, now)} to ${wall(end, now)}`
  const event = lines.at(-1)!.event
  switch (event.kind) {
    case 'pool_exhausted': {
      const refused = incident.end?.kind === 'pool_recovered' ? ` ${refusals(incident.end.detail.refused)}` : ''
      return `${name(pool)} was exhausted${forModel(event.detail)} ${lasted}.${refused}`
    }
    case 'cred_needs_login':
      return `${name(subject)} needed a login${inParentheses([cause(event.reason, null)])}, ${lasted}.`
    case 'cred_unreadable':
      return `The secret of ${name(subject)} could not be read ${lasted}.`
    case 'cred_expiring':
      return `The token of ${name(subject)} was to end: ${lasted}.`
    case 'cred_disabled':
      return `${name(subject)} was disabled${inParentheses([cause(event.reason, null)])} ${lasted}.`
    case 'host_down':
      return `${plain(event.detail.host)} was not reachable ${lasted}.`
    case 'store_trouble':
      return `The store was in trouble ${lasted}: ${plain(event.detail.what)}.`
    case 'worker_down':
      return `${name(subject)} was down while jobs waited ${lasted}.`
    case 'path_unrecovered':
      return `${name(subject)} (${plain(event.detail.path)}) was ${plain(event.detail.state)} for ${duration(end - event.detail.since)}, until ${wall(end, now)}.`
    case 'budget_over':
      return `${name(subject)} was over its budget ${lasted}.`
    case 'budget_filling':
      return `${plain(event.detail.path)} grew far faster than normal ${lasted}.`
    default:
      return `${present(incident, saying)} Over since ${wall(end, now)}.`
  }
}

const states: Readonly<Record<string, readonly [one: string, many: string]>> = {
  cooling: ['is cooling', 'are cooling'],
  probing: ['is being tested', 'are being tested'],
  suspect: ['is suspect', 'are suspect'],
  'needs-login': ['needs a login', 'need a login'],
  unreadable: ['has a secret that cannot be read', 'have secrets that cannot be read'],
  disabled: ['is disabled', 'are disabled'],
  limited: ['is at its limit for it', 'are at their limits for it'],
  parked: ['is parked', 'are parked'],
  healthy: ['cannot serve now', 'cannot serve now'],
  host: ['has no reachable host', 'have no reachable host'],
}

function nextAttempt(at: At, { now, wall }: Saying): string {
  return at < now ? 'It is tried again by itself.' : `Next attempt at ${wall(at, now)}.`
}

function forModel({ model }: { model?: string }): string {
  return model ? ` for ${plain(model)}` : ''
}

/** `all 3 members are cooling`, or how many are in which state. */
function membersAre({ detail }: Event<'pool_exhausted'>): string {
  const tally = new Map<string, number>()
  for (const why of Object.values(detail.why)) tally.set(why, (tally.get(why) ?? 0) + 1)
  const [first] = tally
  const known = Object.keys(detail.why).length
  if (!first) return `none of its ${counted(detail.members, 'member')} can serve`
  if (known < detail.members)
    return `none of its ${detail.members} members can serve (${first[1]} of them ${state(...first)})`
  if (tally.size > 1) return [...tally].map(([why, count]) => `${count} ${state(why, count)}`).join(', ')
  if (first[1] === 1) return `its only member ${state(first[0], 1)}`
  return `all ${first[1]} members ${state(first[0], first[1])}`
}

function state(why: string, count: number): string {
  const [one, many] = states[why] ?? [`cannot serve (${plain(why)})`, `cannot serve (${plain(why)})`]
  return count === 1 ? one : many
}

function nextRecovery({ detail }: Event<'pool_exhausted'>, { now, wall, hasRemedy }: Saying): string {
  if (detail.retryAt === null) return hasRemedy ? '' : ` ${nobodyRecovers(detail)}`
  const at = wall(detail.retryAt, now)
  if (detail.retryAt < now) return ` It can be tried again since ${at}.`
  if (detail.first === null) return ` The first recovers at ${at}.`
  return detail.members === 1
    ? ` ${name(detail.first)} recovers at ${at}.`
    : ` ${name(detail.first)} recovers first, at ${at}.`
}

function nobodyRecovers({ why, remedy }: Details['pool_exhausted']): string {
  const waits = (state: string, verb: Cure['verb']) => {
    const member = Object.keys(why).find((each) => why[each] === state)
    return member === undefined ? null : { verb, name: member }
  }
  const known =
    remedy ?? waits('needs-login', 'login') ?? waits('unreadable', 'show') ?? waits('disabled', 'enable') ?? null
  const help = known === null ? '' : ` ${run({ remedy: known })}`
  return `It does not recover without a person.${help}`
}

function recovered(event: Event<'pool_recovered'>, wall: Wall): string {
  if (event.detail.how === 'untested')
    return `${name(event.pool)} can be tried again since ${wall(event.at, event.at)}${inParentheses([`${name(event.to)}; nobody has asked yet`])}. ${refusals(event.detail.refused)}`
  const serving = inParentheses([event.to && `${name(event.to)} is serving`])
  const lasted = duration(event.at - event.detail.exhaustedAt)
  return `${name(event.pool)} recovered after ${lasted}${serving}. ${refusals(event.detail.refused)}`
}

function refusals(refused: number): string {
  return refused === 0 ? 'No request was refused.' : `${counted(refused, 'request was', 'requests were')} refused.`
}

/** The remedy as a person types it; earlier versions kept the command itself. */
function run({ remedy, command }: { remedy?: Cure | string | null; command?: string }): string {
  const typed = typeof remedy === 'object' && remedy ? `spillway cred ${remedy.verb} ${remedy.name}` : remedy
  return `Run: ${plain(typed ?? command ?? 'spillway status')}`
}

function expiring({ from, detail }: Event<'cred_expiring'>, now: At, wall: Wall): string {
  const subject = name(from)
  const next = detail.kept ? `spillway cred login ${subject}` : 'put it where the old one is'
  const days = Math.ceil((detail.endsAt - now) / 86_400_000)
  const left = days > 1 ? `in ${days} days` : 'in less than a day'
  return `The token of ${subject} ends ${left} (${wall(detail.endsAt, now)}) and cannot be refreshed. Make another with claude setup-token, then: ${next}`
}

function disabled(event: Event<'cred_disabled'>): string {
  const subject = name(event.from)
  if (event.detail.by === 'operator') return `${subject} was disabled by ${plain(event.actor)}.`
  const why = inParentheses([cause(event.reason, null)])
  return `${subject} is disabled: the upstream does not accept it${why}. When it is valid again, run: spillway cred enable ${subject}`
}

function rejected(problems: readonly string[]): string {
  const list = problems.map((problem) => `\n- ${plain(problem)}`).join('')
  return `The new configuration has ${counted(problems.length, 'problem')}; the old one stays in force.${list}`
}

function until(at: At | null, now: At, wall: Wall): string | null {
  return at === null ? null : `until ${wall(at, now)}`
}

function inParentheses(words: readonly (string | null)[]): string {
  const said = words.filter((word) => word !== null && word !== '')
  return said.length === 0 ? '' : ` (${said.join(', ')})`
}

function name(of: string | null): string {
  return of === null ? 'nobody' : plain(of)
}
