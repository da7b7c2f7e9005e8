import type { CheckShape, MemberShape, PoolShape } from '../../ops/ops.ts'
import { atTime, instantsIn, inTime } from '../../when/when.ts'
import type { Cell, Ink, Screen } from '../screen.ts'
import { relative } from '../when.ts'
import { forecastText, weekday } from './forecastview.ts'
import { laidOut, type Row } from './layout.ts'

/** The state of a pool in a few words, for a list. */
function poolState(pool: PoolShape, now: number): Cell {
  if (pool.members.length === 0) return { text: 'empty', ink: 'yellow' }
  if (pool.unreachable !== null) return { text: outage(pool.unreachable, now), ink: 'red' }
  if (!pool.exhausted) return { text: 'ok', ink: 'green' }
  if (pool.retryAt === null) return { text: 'needs a person', ink: 'red' }
  return { text: `exhausted, ${back(pool.retryAt, now)}`, ink: 'red' }
}

/** `127.0.0.1:8080 is unreachable since 20:18:05, next try in 7 s`. */
function outage({ host, since, retryAt }: { host: string; since: string; retryAt: string }, now: number): string {
  const next = Date.parse(retryAt) > now ? `next try ${relative(retryAt, now)}` : 'being tried now'
  return `${host} is unreachable since ${sayLocal(since, now)}, ${next}`
}

/** `back in 4 min (20:38:40 UTC)`. */
function back(instant: string, now: number): string {
  const at = Date.parse(instant)
  return at <= now ? 'can be tried again' : `back ${inTime(at, now, local)}`
}

/** An instant in this machine's zone: `20:38:40 UTC+1`. */
const sayLocal = (instant: string, now: number): string => local(Date.parse(instant), now)

const local = instantsIn()

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

/** Pools with their members: a line for each, sentences for the rest. */
export function printPoolViews(screen: Screen, pools: readonly PoolShape[], now: number): void {
  for (const [at, pool] of pools.entries()) {
    if (at > 0) screen.print('')
    for (const line of laidOut([headRow(pool, now)], screen.width)) screen.line(line)
    for (const line of laidOut(memberRows(pool, screen, now), screen.width)) screen.line(line)
  }
}

/** Whether a daemon serves; what is shown is what the next one begins with otherwise. */
const isServing = (pool: PoolShape): boolean => pool.members.some(({ inFlight }) => inFlight !== null)

function headRow(pool: PoolShape, now: number): Row {
  return {
    lead: [{ text: pool.name, ink: 'bold' }, '  '],
    sentence: headline(pool, now),
    figures: [{ text: `(${pool.provider}, ${pool.strategy}${cachedText(pool)})`, ink: 'dim' }],
  }
}

/** `, 62% of input cached`; nothing where that is not known. */
function cachedText({ cachedShare }: PoolShape): string {
  return cachedShare === null ? '' : `, ${Math.round(cachedShare * 100)}% of input cached`
}

/** Who serves, or why nobody does and when that ends. */
function headline(pool: PoolShape, now: number): Cell {
  if (pool.members.length === 0) return { text: `no members; spillway pool add ${pool.name} MEMBER`, ink: 'yellow' }
  if (pool.unreachable !== null) return { text: `nobody serves: ${outage(pool.unreachable, now)}`, ink: 'red' }
  if (pool.active !== null && isServing(pool)) return { text: `${pool.active} serves`, ink: 'green' }
  if (pool.active !== null) return { text: `${pool.active} would serve`, ink: 'dim' }
  if (pool.retryAt === null) return { text: 'exhausted: a person must act', ink: 'red' }
  return { text: `exhausted: ${back(pool.retryAt, now)}`, ink: 'red' }
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

/** The ink that says how bad it is. */
export function healthInk({ state }: MemberShape['health']): Ink {
  return inks[state]
}

function memberRows(pool: PoolShape, screen: Screen, now: number): Row[] {
  const isLive = isServing(pool)
  const longest = Math.max(0, ...pool.members.map(({ name }) => name.length))
  const indent = '    '
  const models = pool.activeFor.map(({ model, member }): Row => {
    const who = member === null ? 'nobody serves' : `${member} serves`
    return { lead: [indent], sentence: `${model}: ${who}` }
  })
  const dry = forecastText(pool.forecast)
  const foreseen: Row[] = dry === null ? [] : [{ lead: ['  '], sentence: { text: `${dry}.`, ink: 'yellow' } }]
  return [...pool.members.flatMap((member) => rowsOf(member, { screen, now, longest, isLive })), ...models, ...foreseen]
}

interface Setting {
  readonly screen: Screen
  readonly now: number
  readonly isLive: boolean
  readonly longest: number
}

function rowsOf(member: MemberShape, { screen, now, longest, isLive }: Setting): Row[] {
  const ink = isLive || member.health.state !== 'healthy' ? inkOf(member) : 'dim'
  const mark = screen.isPlain ? (member.active ? '*' : '-') : member.active ? '●' : '○'
  const below = (text: string, inked: Ink): Row => ({ lead: ['    '], sentence: { text, ink: inked } })
  return [
    {
      lead: ['  ', { text: mark, ink }, ` ${member.name.padEnd(longest)}  `],
      sentence: { text: condition(member, now), ink },
      figures: figuresOf(member, screen, now),
    },
    ...member.scoped.map(({ model, reason, until }) =>
      below(`${model}: ${words(reason)}, ${back(until, now)}`, 'yellow'),
    ),
    ...(member.command === null ? [] : [below(`Run: ${member.command}`, 'bold')]),
  ]
}

function inkOf({ health, reachable, park }: MemberShape): Ink {
  if (health.state !== 'healthy') return inks[health.state]
  if (!reachable) return 'red'
  return park === null ? 'green' : 'cyan'
}

/** How a member is, as a sentence without its name. */
function condition(member: MemberShape, now: number): string {
  const parts = [health(member, now)]
  if (member.cappedUntil !== null) parts.push(`used up to its cap, ${back(member.cappedUntil, now)}`)
  if (member.park !== null)
    parts.push(
      member.park.until === null ? 'parked until you unpark it' : `parked until ${sayLocal(member.park.until, now)}`,
    )
  return parts.join(', ')
}

function health({ health, reachable, host }: MemberShape, now: number): string {
  return health.state === 'healthy' && !reachable ? `${host} is unreachable` : healthText(health, now)
}

/** How a credential is, as a sentence without its name. */
export function healthText({ state, reason, until, by }: MemberShape['health'], now: number): string {
  const why = reason === null ? '' : ` (${words(reason)})`
  switch (state) {
    case 'healthy':
      return 'healthy'
    case 'cooling':
      return `${words(reason ?? 'cooling')}${until === null ? '' : `, ${back(until, now)}`}`
    case 'suspect':
      return `suspect${why}${until === null ? '' : `, tried again ${relative(until, now)}`}`
    case 'probing':
      return `being tried${why}`
    case 'needs-login':
      return `needs a login${why}`
    case 'unreadable':
      return 'its secret cannot be read'
    case 'disabled':
      return `disabled by ${by === 'upstream' ? `its upstream${why}` : 'an operator'}`
  }
}

/** A code such as `rate-limited` as words. */
function words(code: string): string {
  return code.replaceAll('-', ' ')
}

function figuresOf(member: MemberShape, screen: Screen, now: number): Cell[] {
  const { usage, tier, requests, failures, lastUsedAt } = member
  const failed = failures ? `, ${failures} failed` : ''
  return [
    { text: usage.map((one) => window(one, screen.isPlain)).join('  '), ink: 'cyan' },
    tier === 1 ? '' : `tier ${tier}`,
    lastUsedAt === null ? '' : `used ${relative(lastUsedAt, now)}`,
    underWay(member),
    requests ? `${requests} ${requests === 1 ? 'request' : 'requests'}${failed}` : '',
    usage
      .flatMap(({ window, resetAt }) => (resetAt === null ? [] : `${window} resets ${relative(resetAt, now)}`))
      .join(', '),
  ]
}

/** `3 in flight`, `3 of 4 in flight`. */
function underWay({ inFlight, maxInFlight }: MemberShape): string {
  if (maxInFlight !== null) return `${inFlight ?? 0} of ${maxInFlight} in flight`
  return inFlight ? `${inFlight} in flight` : ''
}

const barWidth = 8

/** `5h ██░░░░░░ 28%`. */
function window({ window, usedPercent }: MemberShape['usage'][number], isPlain: boolean): string {
  const percent = `${Math.round(usedPercent)}%`
  if (isPlain) return `${window} ${percent}`
  const filled = Math.min(barWidth, Math.max(0, Math.round((usedPercent / 100) * barWidth)))
  return `${window} ${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)} ${percent}`
}

/** A check's result as one sentence. */
export function checkText(check: CheckShape, now: number): string {
  const { pool, verdict, member, retryAt, people, host, since, dryAt } = check
  if (verdict === 'can-serve') return `${pool} can serve (${member})`
  if (verdict === 'runs-dry' && dryAt !== null) {
    const relief = retryAt === null || member === null ? '' : `; ${member} recovers first, ${weekday(retryAt)}`
    return `${pool} can serve and runs dry ${weekday(dryAt)}${relief}`
  }
  if (host !== null && since !== null && retryAt !== null)
    return `${pool} cannot serve: ${outage({ host, since, retryAt }, now)}`
  if (verdict === 'cooling' && retryAt !== null)
    return `${pool} is cooling: ${member ?? 'it'} recovers first, ${atTime(Date.parse(retryAt), now, local)}`
  const who = people.map((one) =>
    one.state === 'disabled' ? `${one.member} is disabled` : waiting(one.member, one.state),
  )
  return `${pool} needs a person: ${who.join(', ') || 'it has no members'}`
}

/** Why a member that waits for a person does so. */
function waiting(name: string, state: string): string {
  return state === 'unreadable' ? `the secret of ${name} cannot be read` : `${name} needs a login`
}
