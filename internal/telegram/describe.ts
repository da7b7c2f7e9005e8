import { plain } from '../notify/notify.ts'
import type { AuditShape, IncidentShape, MemberShape, PoolShape, StatusShape } from '../ops/ops.ts'
import { inTime, type SayInstant } from '../when/when.ts'
import type { Action } from './action.ts'

/** When it is now, and how the operator's clock says instants. */
export interface Today {
  readonly now: number
  readonly instant: SayInstant
}

const mostKeys = 8
const mostMembers = 40
const mostAuditCharacters = 4_000

/** All pools and what is wrong, in a few lines. */
export function statusText(
  { version, pools, incidents }: StatusShape,
  today: Today & { readonly host: string },
): string {
  const lines = pools.length === 0 ? ['There is no pool yet.'] : pools.map((pool) => poolLine(pool, today))
  const open = incidents.map((incident) => incidentLine(incident, today))
  return [
    `spillway ${version} on ${plain(today.host)}`,
    ...lines,
    ...(open.length === 0 ? ['No incident is open.'] : ['Open incidents:', ...open]),
  ].join('\n')
}

/** One pool on one line: who serves, or when somebody does again. */
export function poolLine({ name, active, retryAt, unreachable, members }: PoolShape, today: Today): string {
  const well = members.filter(({ health, park }) => health.state === 'healthy' && park === null).length
  if (active !== null) return `${name}: ${active} serves (${well} of ${members.length} members are well)`
  if (members.length === 0) return `${name}: has no members`
  if (unreachable !== null)
    return `${name}: nobody can serve, ${unreachable.host} is unreachable since ${at(unreachable.since, today)}`
  return retryAt === null
    ? `${name}: nobody can serve`
    : `${name}: nobody can serve, next recovery ${inTime(Date.parse(retryAt), today.now, today.instant)}`
}

/** A pool with each of its members. */
export function poolText(pool: PoolShape, today: Today): string {
  const shown = pool.members.slice(0, mostMembers).map((member) => memberLine(member, today))
  const rest = pool.members.length - shown.length
  return [poolLine(pool, today), ...shown, ...(rest > 0 ? [`and ${rest} more`] : [])].join('\n')
}

function memberLine(member: MemberShape, today: Today): string {
  const { name, position, health, park, scoped, active, tier } = member
  const { state, reason, until } = health
  const cause =
    reason === null || reason === state || state === 'healthy'
      ? ''
      : ` (${reason}${until === null ? '' : `, until ${at(until, today)}`})`
  const aside =
    park === null
      ? null
      : `parked ${park.until === null ? 'until somebody unparks it' : `until ${at(park.until, today)}`}`
  const models = scoped.map((limit) => `${limit.model} limited until ${at(limit.until, today)}`)
  const facts = [
    `${state}${cause}`,
    tier === 1 ? null : `tier ${tier}`,
    aside,
    ...models,
    active ? 'serves' : null,
  ].filter((fact) => fact !== null)
  return `${position}. ${name}: ${facts.join(', ')}`
}

/** What can be done about a pool at once, for its buttons. */
export function deedsFor({ name: pool, active, members }: PoolShape): readonly Action[] {
  const about = members.flatMap(({ name: member, health, park }): Action[] => {
    if (park !== null) return [{ verb: 'unpark', pool, member }]
    return ['cooling', 'suspect', 'probing'].includes(health.state) ? [{ verb: 'clear', pool, member }] : []
  })
  const rotate: readonly Action[] = active !== null && members.length > 1 ? [{ verb: 'rotate', pool }] : []
  return [...rotate, ...about].slice(0, mostKeys)
}

/** Audit rows, newest last, one per line; the oldest are left out where one message has no room for them. */
export function auditText(rows: readonly AuditShape[], today: Today): string {
  if (rows.length === 0) return 'The audit log is empty.'
  let text = ''
  for (const row of rows.toReversed()) {
    const line = auditLine(row, today)
    if (text.length + line.length > mostAuditCharacters) break
    text = text === '' ? line : `${line}\n${text}`
  }
  return text
}

function auditLine({ at: instant, kind, pool, from, to, reason, actor, suppressed }: AuditShape, today: Today): string {
  const move = from !== null && to !== null ? `${from} → ${to}` : (from ?? to)
  const about = [at(instant, today), kind, pool, move, reason === null ? null : `(${reason})`]
  const by = actor === 'spillway' ? null : `by ${actor}`
  const more = suppressed === 0 ? null : `and ${suppressed} more`
  return plain([...about, by, more].filter((part) => part !== null).join(' '))
}

function incidentLine({ kind, pool, subject, openedAt, text }: IncidentShape, today: Today): string {
  if (text !== null) return text
  return plain([kind, pool, subject, `since ${at(openedAt, today)}`].filter((part) => part !== null).join(' '))
}

function at(text: string, { instant, now }: Today): string {
  return instant(Date.parse(text), now)
}
