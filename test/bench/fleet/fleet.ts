import { type Finding, said, type Target } from '../finding.ts'
import { Ground } from './ground.ts'
import { type Killed, killed } from './killed.ts'
import { frozen, restarted } from './outages.ts'
import { type Raced, races } from './races.ts'
import { drained, type Started, started } from './rolling.ts'
import { seen, writes } from './seen.ts'

/** How much is done to the fleet. */
export interface FleetPlan {
  readonly changes: number
  readonly requests: number
  readonly races: number
  readonly drains: number
  readonly frozenMs: number
  readonly restarts: number
  readonly kills: number
}

/**
 * Three replicas as processes over one PostgreSQL server: how fast a change of one holds on the others, what requests write,
 * and what is lost, told twice or refused while replicas and the database are killed, frozen, drained and restarted.
 */
export async function fleet(plan: FleetPlan, say: (line: string) => void): Promise<Finding> {
  const ground = await Ground.open()
  async function part<T>(name: string, run: () => Promise<T>): Promise<T> {
    const begun = performance.now()
    const found = await run()
    say(`  ${name} (${Math.round((performance.now() - begun) / 1_000)} s): ${JSON.stringify(found)}`)
    return found
  }
  try {
    const start = await part('start', () => started(ground))
    await ground.furnish()
    const changes = await part('changes', async () => percentiles(await seen(ground, plan.changes)))
    const written = await part('requests', () => writes(ground, plan.requests))
    const raced = await part('races', () => races(ground, plan.races))
    const drain = await part('drains', () => drained(ground, plan.drains))
    const freeze = await part('frozen leader', () => frozen(ground, plan.frozenMs))
    const away = await part('restarts', () => restarted(ground, plan.restarts))
    const kill = await part('kills', () => killed(ground, plan.kills))
    const facts = { plan, start, changes, written, raced, drain, freeze, away, kill }
    return { lines: linesOf(facts), facts, targets: targetsOf(facts) }
  } finally {
    await ground.close()
  }
}

interface Percentiles {
  readonly count: number
  readonly p50: number
  readonly p99: number
}

interface Facts {
  readonly plan: FleetPlan
  readonly start: Started
  readonly changes: Readonly<Record<string, Percentiles>>
  /** By table. */
  readonly written: Readonly<Record<string, number>>
  readonly raced: Readonly<Record<string, Raced>>
  readonly drain: Failures
  readonly freeze: Failures & { readonly takenOverMs: number; readonly told: number }
  readonly away: Failures & { readonly backMs: readonly number[]; readonly messages: readonly string[] }
  readonly kill: Killed
}

interface Failures {
  readonly sent: number
  readonly failed: readonly string[]
}

function percentiles(all: Readonly<Record<string, readonly number[]>>): Record<string, Percentiles> {
  const at = (sorted: readonly number[], share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN
  return Object.fromEntries(
    Object.entries(all).map(([what, values]) => {
      const sorted = values.toSorted((one, other) => one - other)
      return [what, { count: values.length, p50: at(sorted, 0.5), p99: at(sorted, 0.99) }]
    }),
  )
}

function linesOf({ plan, start, changes, written, raced, drain, freeze, away, kill }: Facts): string[] {
  const failures = ({ failed, sent }: Failures) => `${failed.length} of ${sent} requests failed`
  const lost = `${kill.lostParks.length} of ${kill.parks} parks, ${kill.lostCooldowns.length} of ${kill.cooldowns} cooldowns, ${kill.lostIncidents.length} of ${kill.incidents} incidents lost`
  return [
    `Fleet: ${start.up} of 3 replicas came up together on an empty database; another master key ended with ${start.strangerCode}`,
    'A change of one replica holds on each other one, ms            p50      p99',
    ...Object.entries(changes).map(
      ([what, { p50, p99, count }]) =>
        `  ${`${what} (${count})`.padEnd(56)} ${said(p50, 0).padStart(7)} ${said(p99, 0).padStart(8)}`,
    ),
    `${plan.requests} requests that go well changed ${rowsOf(written)} rows, and ${written.usage_hours ?? 0} of usage, which is added up by time`,
    ...Object.entries(raced).map(([what, ends]) => `  both make one ${what}: ${saidEnds(ends)}`),
    `Drains: ${failures(drain)}`,
    `A leader that stands still: another after ${said(freeze.takenOverMs / 1_000, 1)} s, its notice came ${freeze.told} times, ${failures(freeze)}`,
    `Restarts of the database: ${failures(away)}, back after ${said(Math.max(...away.backMs), 0)} ms at most, ${away.messages.length} messages`,
    `${kill.rounds} kills: ${lost}; ${kill.toldTwice.length} told twice; ${kill.failedElsewhere.length} of ${kill.sent} requests failed on others; the audit chain ${kill.chainHolds ? 'holds' : 'is broken'}`,
  ]
}

/** Without usage, which each replica adds up and writes every half minute. */
function rowsOf({ usage_hours: _usage, ...others }: Facts['written']): number {
  return Object.values(others).reduce((sum, rows) => sum + rows, 0)
}

function saidEnds(ends: Raced): string {
  return Object.entries(ends)
    .map(([end, times]) => `${times} × ${end}`)
    .join(', ')
}

function targetsOf({ changes, written, drain, freeze, away, kill }: Facts): Target[] {
  const lost = kill.lostParks.length + kill.lostCooldowns.length + kill.lostIncidents.length
  return [
    { name: 'a cooldown holds on the others, p50 ms', value: changes.cooldown?.p50 ?? Number.NaN, atMost: 20 },
    { name: 'a cooldown holds on the others, p99 ms', value: changes.cooldown?.p99 ?? Number.NaN, atMost: 250 },
    { name: 'rows that requests change which go well', value: rowsOf(written), atMost: 0 },
    { name: 'requests that fail while replicas are drained', value: drain.failed.length, atMost: 0 },
    { name: 'a leader that stands still is replaced, s', value: freeze.takenOverMs / 1_000, atMost: 15 },
    { name: 'requests that fail while the database restarts', value: away.failed.length, atMost: 0 },
    { name: 'the fleet writes again after a restart, s', value: Math.max(...away.backMs) / 1_000, atMost: 10 },
    { name: 'parks, cooldowns and incidents lost by kills', value: lost, atMost: 0 },
    { name: 'notices that come twice', value: kill.toldTwice.length, atMost: 0 },
  ]
}
