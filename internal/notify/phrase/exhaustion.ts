import type { DomainEvent } from '../../events/events.ts'
import { atTime, between } from '../../when/when.ts'
import type { Saying } from './saying.ts'
import { costsInAll, counted, inParentheses, nameOf, plain } from './words.ts'

type Event<K extends DomainEvent['kind']> = Extract<DomainEvent, { kind: K }>

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

/** `openai is exhausted: all 3 members are cooling.` */
export function whyExhausted(event: Event<'pool_exhausted'>): string {
  return `${nameOf(event.pool)} is exhausted${forModel(event.detail)}: ${membersAre(event)}.`
}

/** ` for gemini-2.5-pro`; empty when it is for all models. */
export function forModel({ model }: { model?: string }): string {
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

/** ` work recovers first, at 14:05:00 UTC (in 5 min).`, or that only a person can help. */
export function nextRecovery({ detail }: Event<'pool_exhausted'>, { now, instant }: Saying): string {
  const { retryAt, first, members } = detail
  if (retryAt === null) return ''
  if (retryAt <= now) return ` It can be tried again since ${instant(retryAt, now)}.`
  const when = atTime(retryAt, now, instant)
  if (first === null) return ` The first recovers ${when}.`
  return members === 1 ? ` ${nameOf(first)} recovers ${when}.` : ` ${nameOf(first)} recovers first, ${when}.`
}

/** `openai recovered after 12 min (work is serving). 418 requests were refused.` */
export function recovered({ pool, to, at, detail }: Event<'pool_recovered'>, { instant }: Saying): string {
  const cost = costsInAll(detail.refused)
  if (detail.how === 'untested')
    return `${nameOf(pool)} can be tried again since ${instant(at, at)} (${nameOf(to)}; nobody has asked yet). ${cost}`
  const serving = inParentheses([to && `${nameOf(to)} is serving`])
  return `${nameOf(pool)} recovered after ${between(detail.exhaustedAt, at)}${serving}. ${cost}`
}
