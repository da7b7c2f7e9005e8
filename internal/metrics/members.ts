import { cooldownSeconds, resetSeconds, statesOf, usedRatios, type View } from './view.ts'

const head = (name: string, help: string) => `# HELP ${name} ${help}\n# TYPE ${name} gauge\n`

const stateHead = head(
  'spillway_member_state',
  '1 for the state of a member, and for parked beside it; a state that does not hold has no series.',
)
const cooldownHead = head('spillway_cooldown_seconds', 'Seconds until a member may serve again; 0 when it may.')
const usedHead = head(
  'spillway_window_used_ratio',
  'How much of a limit is used, as the upstream last said; 1 is all of it.',
)
const dryHead = head(
  'spillway_pool_dry_seconds',
  'Seconds until nobody in the pool can serve any more, where that is foreseen.',
)
const reliefHead = head(
  'spillway_pool_relief_seconds',
  'Seconds until the first member of a pool that runs dry can serve again.',
)
const resetHead = head('spillway_window_reset_seconds', 'Seconds until a limit resets, as the upstream last said.')

/**
 * The gauges that have a series for each member, in Prometheus' text format. They are written here because a pool may have
 * 10,000 members, and prom-client would hold up all requests for more than 0.1 s at each scrape.
 */
export function memberGauges(view: View): string {
  return `${gaugesOfMembers(view)}\n${gaugesOfForecasts(view)}`
}

/** Seconds until pools run dry and until they are relieved; a pool of which that is not foreseen has no series. */
function gaugesOfForecasts({ pools, now }: View): string {
  const series = (name: string, at: (pool: View['pools'][number]) => number | null) =>
    pools
      .map((pool) => {
        const instant = at(pool)
        return instant === null ? '' : `${name}{pool="${escaped(pool.name)}"} ${Math.max(0, (instant - now) / 1000)}\n`
      })
      .join('')
  const dry = series('spillway_pool_dry_seconds', ({ forecast }) => forecast?.dryAt ?? null)
  const relief = series('spillway_pool_relief_seconds', ({ forecast }) => forecast?.reliefAt ?? null)
  return `${dryHead}${dry}\n${reliefHead}${relief}`
}

function gaugesOfMembers({ pools, now }: View): string {
  let states = ''
  let cooldowns = ''
  let used = ''
  let resets = ''
  for (const pool of pools) {
    const poolLabel = `pool="${escaped(pool.name)}"`
    for (const member of pool.members) {
      const labels = `${poolLabel},member="${escaped(member.name)}"`
      for (const state of statesOf(member)) states += `spillway_member_state{${labels},state="${escaped(state)}"} 1\n`
      cooldowns += `spillway_cooldown_seconds{${labels}} ${cooldownSeconds(member, now)}\n`
      for (const [window, ratio] of usedRatios(member))
        used += `spillway_window_used_ratio{${labels},window="${escaped(window)}"} ${ratio}\n`
      for (const [window, seconds] of resetSeconds(member, now))
        resets += `spillway_window_reset_seconds{${labels},window="${escaped(window)}"} ${seconds}\n`
    }
  }
  return `\n${stateHead}${states}\n${cooldownHead}${cooldowns}\n${usedHead}${used}\n${resetHead}${resets}`
}

/** A label's value as the text format wants it. */
function escaped(value: string): string {
  return value.replace(/[\\"\n]/g, (found) => (found === '\n' ? '\\n' : `\\${found}`))
}
