import type { DomainEvent } from '../../events/events.ts'
import { inTime, span } from '../../when/when.ts'
import type { Incident } from '../incident/incident.ts'
import type { At } from '../incident/notice.ts'
import { nextRecovery, recovered, whyExhausted } from './exhaustion.ts'
import { runsDry, wasReset } from './foresight.ts'
import { guardSentence } from './guarded.ts'
import type { Saying } from './saying.ts'
import { cause, costs, counted, inParentheses, listed, nameOf, plain, size } from './words.ts'

type Event<K extends DomainEvent['kind']> = Extract<DomainEvent, { kind: K }>

/** What holds now, what it costs, and for how long it has held. */
export function present(incident: Incident, saying: Saying): string {
  const parts = [sentence(incident, saying), cost(incident, saying), soFar(incident, saying), again(incident, saying)]
  return parts.filter((part) => part !== null).join(' ')
}

/** The incident's newest event as a sentence of its own. */
function sentence({ event, count }: Incident, saying: Saying): string {
  const { now, instant } = saying
  const pool = nameOf(event.pool)
  switch (event.kind) {
    case 'cred_failover':
      return failovers(event, count, saying)
    case 'pool_rotated': {
      const aside = [event.detail.until && `${nameOf(event.from)} parked until ${instant(event.detail.until, now)}`]
      return `${pool}: rotated from ${nameOf(event.from)} to ${nameOf(event.to)} by ${plain(event.actor)}${inParentheses(aside.map((part) => part || null))}.`
    }
    case 'backup_serves':
      return backup(event, saying)
    case 'pool_exhausted':
      return `${whyExhausted(event)}${nextRecovery(event, saying)}`
    case 'pool_recovered':
      return recovered(event, saying)
    case 'pool_runs_dry':
      return runsDry(event, saying)
    case 'cred_reset':
      return wasReset(event)
    case 'cred_needs_login':
      return `${nameOf(event.from)} needs a login${inParentheses([cause(event.reason, null)])}.`
    case 'cred_unreadable':
      return `The secret of ${nameOf(event.from)} cannot be read.`
    case 'cred_expiring':
      return expiring(event, saying)
    case 'cred_account_changed':
      return `${nameOf(event.from)} is another account now: ${plain(event.detail.before)} → ${plain(event.detail.after)}.`
    case 'cred_disabled':
      if (event.detail.by === 'operator') return `${nameOf(event.from)} was disabled by ${plain(event.actor)}.`
      return `${nameOf(event.from)} is disabled: the upstream does not accept it${inParentheses([cause(event.reason, null)])}.`
    case 'keys_guessed':
      return `${counted(event.detail.attempts, 'request')} came with a client key that does not exist, and got 401.`
    case 'egress_blocked':
      return `${pool}: the upstream refuses this machine's network${inParentheses([cause(null, event.detail.status)])}. No member is blamed. Check region, proxy and firewall.${times(count)}`
    case 'weak_storm':
      return `${pool}: ${counted(event.detail.members, 'member')} failed at once without a clear reason. That looks like the upstream or the network, so no member cools for it until ${instant(event.detail.until, now)}.`
    case 'host_down':
      return `${plain(event.detail.host)} is not reachable${inParentheses([cause(event.reason, null)])}. No member is blamed, and it is tried again by itself at least once a minute.`
    case 'store_trouble':
      return troubled(event, saying)
    case 'config_rejected':
      return `The new configuration has ${counted(event.detail.problems.length, 'problem')}; the old one stays in force.${event.detail.problems.map((problem) => `\n- ${plain(problem)}`).join('')}`
    case 'worker_down':
    case 'path_unrecovered':
    case 'budget_over':
    case 'budget_filling':
      return guardSentence(event, saying)
    default:
      return plain(`${event.kind} ${event.pool ?? ''} ${event.from ?? ''} ${event.to ?? ''}`)
  }
}

function failovers(event: Event<'cred_failover'>, count: number, { now, instant, refused }: Saying): string {
  const why = inParentheses([cause(event.reason, event.detail.status), until(event.detail.until, now, instant)])
  const model = event.detail.model ? ` for ${plain(event.detail.model)}` : ''
  const move = `from ${nameOf(event.from)} to ${nameOf(event.to)}${model}${why}`
  const cost = costs(refused ?? 0)
  if (count === 1) return `${nameOf(event.pool)}: failed over ${move}; ${cost}.`
  return `${nameOf(event.pool)}: ${counted(count, 'failover')} in the last hour, ${cost}. The last: ${move}.`
}

function backup({ pool, at, to, detail }: Event<'backup_serves'>, { now, instant }: Saying): string {
  const { tier, first, until: back, model } = detail
  const returns = back === null ? '' : ` Tier ${first} returns at ${instant(back, now)}.`
  const asked = model ? ` for ${plain(model)}` : ''
  return `${nameOf(pool)}: tier ${tier} serves (${nameOf(to)})${asked} since ${instant(at, now)}.${returns}`
}

function until(at: At | null, now: At, instant: Saying['instant']): string | null {
  return at === null ? null : `until ${instant(at, now)}`
}

function times(count: number): string {
  return count > 1 ? ` It happened ${count} times.` : ''
}

function expiring({ from, detail }: Event<'cred_expiring'>, { now, instant }: Saying): string {
  const mend = detail.kept ? '' : ', and put it where the old one is'
  return `The token of ${nameOf(from)} ends ${inTime(detail.endsAt, now, instant)} and cannot be refreshed. Make another with claude setup-token${mend}.`
}

function troubled({ detail }: Event<'store_trouble'>, { host }: Saying): string {
  const { disk, what } = detail
  if (!disk) return `The store is in trouble: ${plain(what)}. Requests go on from memory.`
  return `Disk low on ${plain(host)}: ${size(disk.freeBytes)} free in ${plain(disk.path)}, reserve ${size(disk.reserveBytes)}. Requests go on; counts of repeats are not written. Free space or change disk.reserveBytes.`
}

/** What it costs those who send requests, where the sentence does not say so. */
function cost({ kind, version }: Incident, { refused, pools }: Saying): string | null {
  const goOn = pools.filter(({ active }) => active !== null).map(goingOn)
  const stand = pools.filter(({ active }) => active === null).map(({ name }) => plain(name))
  switch (kind) {
    case 'pool_exhausted':
      return refused === null || version > 1 ? null : `${capital(costs(refused))}.`
    case 'host_down': {
      const shut = stand.length === 0 ? [] : [`503 for ${listed(stand)}, ${costs(refused ?? 0)}`]
      return sentenceOf([...shut, ...goOn])
    }
    case 'cred_needs_login':
    case 'cred_unreadable':
    case 'cred_disabled':
      return stand.length > 0 || goOn.length === 0 ? null : sentenceOf([...goOn, 'nobody was refused'])
    default:
      return null
  }
}

function goingOn({ name, active }: { readonly name: string; readonly active: string | null }): string {
  return `${plain(name)} goes on with ${nameOf(active)}`
}

function sentenceOf(parts: readonly string[]): string | null {
  return parts.length === 0 ? null : `${parts.join(', ')}.`
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** What an edit adds to the first telling of something that takes its time. */
function soFar({ kind, version, since }: Incident, { now, refused }: Saying): string | null {
  if (version < 2) return null
  const lasted = `${span(now - since)} so far`
  if (kind === 'host_down') return `Down for ${lasted}.`
  if (kind !== 'pool_exhausted') return null
  return refused === null ? `Exhausted for ${lasted}.` : `Exhausted for ${lasted}, ${costs(refused)}.`
}

/** That it was over and has come back; failovers are counted in their sentence. */
function again({ kind, spells, openedAt }: Incident, { now, instant }: Saying): string | null {
  if (spells < 2 || kind === 'cred_failover') return null
  return `It has come back: ${spells} times since ${instant(openedAt, now)}.`
}
