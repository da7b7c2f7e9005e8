import type { MemberShape, PoolShape } from '../../ops/ops.ts'
import { instantsIn, span } from '../../when/when.ts'
import { weekday } from './forecastview.ts'

/** One pool in a few words, for a prompt or a status bar: `codex: work · 5h 41% · 7d 63% · dry Thu 14:00`. */
export function statusline(pool: PoolShape, now: number): string {
  const { dryAt } = pool.forecast
  const dry = dryAt === null ? [] : [`dry ${weekday(dryAt)}`]
  const windows = windowsOf(pool.members.find(({ active }) => active))
  return [`${pool.name}: ${serving(pool, now)}`, ...windows, ...dry].join(' · ')
}

function serving(pool: PoolShape, now: number): string {
  if (pool.members.length === 0) return 'no members'
  if (pool.unreachable !== null) return `${pool.unreachable.host} is unreachable`
  if (pool.active !== null) return pool.active
  if (pool.retryAt === null) return 'a person must act'
  const at = Date.parse(pool.retryAt)
  return at <= now ? 'can be tried again' : `back in ${span(at - now)} (${instantsIn()(at, now)})`
}

function windowsOf(member: MemberShape | undefined): string[] {
  return member?.usage.map(({ window, usedPercent }) => `${window} ${Math.round(usedPercent)}%`) ?? []
}
