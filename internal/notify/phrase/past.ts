import type { Details } from '../../events/events.ts'
import { between, fromTo } from '../../when/when.ts'
import type { Incident } from '../incident/incident.ts'
import { forModel, recovered } from './exhaustion.ts'
import { present } from './present.ts'
import { type Saying, spellOf } from './saying.ts'
import { cause, costs, costsInAll, counted, inParentheses, listed, nameOf, plain } from './words.ts'

/** What was, and for how long. */
export function past(incident: Incident, saying: Saying): string {
  const { pool, subject, event, end } = incident
  const { now, instant } = saying
  const lasted = lasting(incident, saying)
  switch (event.kind) {
    case 'cred_failover':
      return failedOver(incident, saying)
    case 'pool_rotated':
      return `${nameOf(pool)}: rotated from ${nameOf(event.from)} to ${nameOf(event.to)} by ${plain(event.actor)} at ${instant(event.at, now)}.`
    case 'backup_serves':
      return `${nameOf(pool)}: tier ${event.detail.tier} served (${nameOf(event.to)}) ${lasted}.${servedIn(end)}`
    case 'pool_runs_dry':
      return `${nameOf(pool)} was to run dry ${saying.weekday(event.detail.dryAt)}: told ${lasted}.`
    case 'pool_exhausted': {
      const refused = end?.kind === 'pool_recovered' ? ` ${costsInAll(end.detail.refused)}` : ''
      return `${nameOf(pool)} was exhausted${forModel(event.detail)} ${lasted}.${refused}`
    }
    case 'cred_needs_login':
      return `${nameOf(subject)} needed a login${inParentheses([cause(event.reason, null)])} ${lasted}.`
    case 'cred_unreadable':
      return `The secret of ${nameOf(subject)} could not be read ${lasted}.`
    case 'cred_expiring':
      return `The token of ${nameOf(subject)} was to end: ${lasted}.`
    case 'cred_disabled':
      return `${nameOf(subject)} was disabled${inParentheses([cause(event.reason, null)])} ${lasted}.`
    case 'host_down':
      return `${plain(event.detail.host)} was not reachable ${lasted}.`
    case 'store_trouble':
      return event.detail.disk
        ? `The disk of ${plain(event.detail.disk.path)} was low ${lasted}.`
        : `The store was in trouble ${lasted}: ${plain(event.detail.what)}.`
    case 'config_rejected':
      return `The configuration had ${counted(event.detail.problems.length, 'problem')} ${lasted}.`
    case 'worker_down':
      return `${nameOf(subject)} was down while jobs waited ${lasted}.`
    case 'path_unrecovered':
      return `${nameOf(subject)} (${plain(event.detail.path)}) was ${plain(event.detail.state)} ${lasted}.`
    case 'budget_over':
      return `${nameOf(subject)} was over its budget ${lasted}.`
    case 'budget_filling':
      return `${plain(event.detail.path)} grew far faster than normal ${lasted}.`
    default:
      return `${present(incident, saying)} Over since ${instant(incident.closedAt ?? now, now)}.`
  }
}

function failedOver({ event, count, openedAt, closedAt, pool }: Incident, { now, instant, refused }: Saying): string {
  if (event.kind !== 'cred_failover') return ''
  const cost = costs(refused ?? 0)
  if (count > 1)
    return `${nameOf(pool)}: ${counted(count, 'failover')} ${fromTo(openedAt, closedAt ?? now, now, instant)}, ${cost}.`
  const from = instant(openedAt, now)
  const model = event.detail.model ? ` for ${plain(event.detail.model)}` : ''
  const why = inParentheses([cause(event.reason, event.detail.status)])
  return `${nameOf(pool)}: failed over from ${nameOf(event.from)} to ${nameOf(event.to)}${model} at ${from}${why}; ${cost}. That is over.`
}

/** How many requests the backup has served. */
function servedIn(end: Incident['end']): string {
  return end?.kind === 'backup_over' ? ` Tier ${end.detail.tier} served ${counted(end.detail.served, 'request')}.` : ''
}

/** `for 12 min, from 14:00:00 UTC to 14:12:00 UTC`. */
function lasting(incident: Incident, { now, instant }: Saying): string {
  const { from, to } = spellOf(incident, now)
  if (incident.spells > 1) {
    const span = fromTo(incident.openedAt, to, now, instant)
    return `${incident.spells} times ${span}, at last for ${between(from, to)}`
  }
  return `for ${between(from, to)}, ${fromTo(from, to, now, instant)}`
}

/** The sentence that tells the end of an incident once; null when it ended by itself, or by the hand that began it. */
export function ending(incident: Incident, saying: Saying): string | null {
  const { end, event } = incident
  if (!end) return null
  const { from, to } = spellOf(incident, end.at)
  const lasted = between(from, to)
  switch (end.kind) {
    case 'pool_recovered':
      return recovered(end, saying)
    case 'backup_over':
      return `${nameOf(end.pool)}: tier ${end.detail.first} serves again (${nameOf(end.to)}) after ${lasted}.${servedIn(end)}`
    case 'pool_lasts':
      return end.detail.isKnown
        ? `${nameOf(end.pool)} does not run dry any more.`
        : `Whether ${nameOf(end.pool)} runs dry cannot be told any more.`
    case 'cred_revived':
      if (event.kind === 'cred_disabled' && event.detail.by === 'operator') return null
      return `${nameOf(end.from)} is usable again after ${lasted} (${revival[end.detail.how]}).`
    case 'cred_removed':
      return `${nameOf(end.from)} was removed.`
    case 'host_up': {
      const { pools = [], refused } = end.detail
      const asked = pools.length === 0 ? '' : ` for ${listed(pools.map(plain))}`
      const cost = refused ? ` ${counted(refused, 'request')}${asked} got 503.` : ' Nobody was refused.'
      return `${plain(end.detail.host)} is reachable again after ${lasted}.${refused === undefined ? '' : cost}`
    }
    case 'worker_up':
      return `${nameOf(end.from)} runs again, or nothing waits any more, after ${lasted}.`
    case 'path_readable':
      return `${nameOf(end.from)} (${plain(end.detail.path)}) is readable again after ${lasted}.`
    case 'budget_within':
      return `${nameOf(end.from)} is within its budget again after ${lasted}.`
    case 'budget_calm':
      return `${plain(end.detail.path)} grows as it did before the error again, after ${lasted}.`
    case 'config_changed':
      return `The configuration is well again after ${lasted}, and in force.`
    case 'store_healed':
      return event.kind === 'store_trouble' && event.detail.disk
        ? `There is enough free disk again on ${plain(saying.host)} after ${lasted}.`
        : `The store is well again after ${lasted}. What was kept in memory has been written.`
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
