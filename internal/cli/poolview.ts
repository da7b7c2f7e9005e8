import type { CheckShape, MemberShape, PoolShape } from '../ops/ops.ts'
import { instantsIn, inTime } from '../when/when.ts'
import type { Cell, Ink, Screen } from './screen.ts'
import { localTime, relative, relativeOr } from './when.ts'

/** The state of a pool in one word, for a list. */
function poolState(pool: PoolShape, now: number): Cell {
  if (pool.members.length === 0) return { text: 'empty', ink: 'yellow' }
  if (pool.unreachable !== null) return { text: outage(pool.unreachable, now), ink: 'red' }
  if (!pool.exhausted) return { text: 'ok', ink: 'green' }
  if (pool.retryAt === null) return { text: 'exhausted, needs a person', ink: 'red' }
  return { text: `exhausted, recovers ${relative(pool.retryAt, now)}`, ink: 'red' }
}

/** `127.0.0.1:8080 is unreachable since 20:18:05, next try in 7 s`. */
function outage({ host, since, retryAt }: { host: string; since: string; retryAt: string }, now: number): string {
  const next = Date.parse(retryAt) > now ? `next try ${relative(retryAt, now)}` : 'being tried now'
  return `${host} is unreachable since ${localTime(since, now)}, ${next}`
}

/** The list of pools, one line for each. */
export function printPools(screen: Screen, pools: readonly PoolShape[], now: number): void {
  screen.table(
    ['NAME', 'PROVIDER', 'STRATEGY', 'MEMBERS', 'ACTIVE', 'STATE'],
    pools.map((pool) => [
      pool.name,
      pool.provider,
      pool.strategy,
      String(pool.members.length),
      pool.active ?? '-',
      poolState(pool, now),
    ]),
  )
}

/** One pool with its members. */
export function printPool(screen: Screen, pool: PoolShape, now: number): void {
  const state = poolState(pool, now)
  const text = typeof state === 'string' ? state : screen.paint(state.ink, state.text)
  const serving = pool.active === null ? 'nobody serves' : `${pool.active} serves`
  screen.print(`${screen.paint('bold', pool.name)} (${pool.provider}, ${pool.strategy}): ${serving}, ${text}`)
  if (pool.members.length === 0) {
    screen.print(`  no members; spillway pool add ${pool.name} MEMBER`)
    return
  }
  const used = pool.members.some(({ usage }) => usage.length > 0)
  const parts = columns.filter(({ heading }) => used || heading !== 'USED')
  screen.table(
    parts.map(({ heading }) => heading),
    pool.members.map((member) => parts.map(({ cell }) => cell(member, now))),
  )
  for (const { model, member } of pool.activeFor)
    screen.print(`  ${model}: ${member === null ? 'nobody serves' : `${member} serves`}`)
  for (const line of pool.members.flatMap((member) => remarks(member, now))) screen.print(`  ${line}`)
}

const inks: Readonly<Record<MemberShape['health']['state'], Ink>> = {
  healthy: 'green',
  cooling: 'yellow',
  suspect: 'yellow',
  probing: 'cyan',
  'needs-login': 'red',
  unreadable: 'red',
  disabled: 'red',
}

/** The member's health in the ink of how bad it is. */
export function healthCell(health: MemberShape['health']): Cell {
  return { text: health.state, ink: inks[health.state] }
}

interface Column {
  readonly heading: string
  cell(member: MemberShape, now: number): Cell
}

const columns: readonly Column[] = [
  { heading: '', cell: ({ active }) => (active ? { text: '*', ink: 'green' } : ' ') },
  { heading: '#', cell: ({ position }) => String(position) },
  { heading: 'MEMBER', cell: ({ name }) => name },
  {
    heading: 'HEALTH',
    cell: ({ health, reachable }) =>
      reachable || health.state !== 'healthy' ? healthCell(health) : { text: 'unreachable', ink: 'red' },
  },
  { heading: 'REASON', cell: ({ health }) => health.reason ?? '-' },
  { heading: 'UNTIL', cell: ({ health }, now) => relativeOr(health.until, now) },
  { heading: 'USED', cell: ({ usage }, now) => usage.map((one) => usedText(one, now)).join(', ') || '-' },
  { heading: 'PARKED', cell: ({ park }, now) => (park === null ? '-' : relativeOr(park.until, now, 'until unparked')) },
  { heading: 'IN FLIGHT', cell: ({ inFlight }) => counted(inFlight) },
  { heading: 'REQUESTS', cell: ({ requests }) => counted(requests) },
  { heading: 'FAILED', cell: ({ failures }) => counted(failures) },
  { heading: 'LAST USED', cell: ({ lastUsedAt }, now) => relativeOr(lastUsedAt, now) },
]

function usedText({ window, usedPercent, resetAt }: MemberShape['usage'][number], now: number): string {
  const reset = resetAt === null ? '' : ` (resets ${relative(resetAt, now)})`
  return `${window} ${Math.round(usedPercent)}%${reset}`
}

function counted(number: number | null): string {
  return number === null ? '-' : String(number)
}

/** What the row has no column for: limits of single models, and what a person has to do. */
function remarks(member: MemberShape, now: number): string[] {
  const lines = member.scoped.map(
    ({ model, reason, until }) => `${member.name}: ${model} until ${localTime(until, now)} (${reason})`,
  )
  return member.command === null ? lines : [...lines, `${trouble(member)}. Run: ${member.command}`]
}

function trouble(member: MemberShape): string {
  const { state } = member.health
  if (state === 'disabled') return `${member.name} is disabled by ${by(member)}`
  return waiting(member.name, state)
}

/** Why a member that waits for a person does so. */
function waiting(name: string, state: string): string {
  return state === 'unreadable' ? `the secret of ${name} cannot be read` : `${name} needs a login`
}

function by(member: MemberShape): string {
  return member.health.by === 'upstream' ? 'its upstream' : 'an operator'
}

/** A check's result as one sentence. */
export function checkText(check: CheckShape, now: number): string {
  const { pool, verdict, member, retryAt, people, host, since } = check
  if (verdict === 'can-serve') return `${pool} can serve (${member})`
  if (host !== null && since !== null && retryAt !== null)
    return `${pool} cannot serve: ${outage({ host, since, retryAt }, now)}`
  if (verdict === 'cooling' && retryAt !== null) {
    const when = inTime(Date.parse(retryAt), now, instantsIn())
    return `${pool} is cooling: ${member ?? 'it'} recovers first, ${when}`
  }
  const who = people.map((one) =>
    one.state === 'disabled' ? `${one.member} is disabled` : waiting(one.member, one.state),
  )
  return `${pool} needs a person: ${who.join(', ') || 'it has no members'}`
}
