/**
 * `npm run bench`: ratios measured side by side in one run. CPU time from /proc, the proxy pinned to one core,
 * load generator and origin to the other, rounds interleaved, every answer checked. `--quick` shortens it, `--only
 * NAME` (more than once, or with commas) picks parts.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { calls } from './calls.ts'
import type { Plan } from './compare.ts'
import { engine } from './engine.ts'
import { failover } from './failover.ts'
import { type Finding, type Target, targetLines } from './finding.ts'
import { type FleetPlan, fleet } from './fleet/fleet.ts'
import { proxied } from './proxied.ts'
import { refusal } from './refusal.ts'
import { rest } from './rest.ts'
import { secure } from './secure.ts'
import { manyStreams, type StreamPlan } from './streams/many-streams.ts'

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    // Of the fleet: how often replicas are killed.
    kills: { type: 'string' },
  },
})
const { quick } = flags

const plan: Plan = quick
  ? { warmUpMs: 1_200, settleMs: 50, roundMs: 400, rounds: 3, openingMs: 0 }
  : { warmUpMs: 10_000, settleMs: 200, roundMs: 1_500, rounds: 7, openingMs: 31_000 }

const streamPlan: StreamPlan = quick
  ? { counts: [300, 1_200], settleMs: 800, watchMs: 3_000, drainMs: 2_000 }
  : { counts: [2_000, 10_000], settleMs: 3_000, watchMs: 20_000, drainMs: 10_000 }

const say = (line: string) => process.stderr.write(`${line}\n`)
const print = (line = '') => process.stdout.write(`${line}\n`)

const fleetPlan: FleetPlan = {
  ...(quick
    ? { changes: 5, requests: 300, races: 3, drains: 3, frozenMs: 20_000, restarts: 3, kills: 5 }
    : { changes: 100, requests: 3_000, races: 30, drains: 12, frozenMs: 60_000, restarts: 20, kills: 200 }),
  ...(flags.kills === undefined ? {} : { kills: Number(flags.kills) }),
}

/** The parts of the benchmark by their names, in the order in which they run. */
const parts: Readonly<Record<string, () => Promise<Finding>>> = {
  proxied: () => proxied(plan, say),
  tls: () => secure(plan, say),
  refusal: () => refusal(plan),
  failover: () => failover(quick ? 100 : 1_000),
  streams: () => manyStreams({ ...streamPlan, counts: streamPlan.counts.slice(0, 1), drainMs: null }, say),
  many: () => manyStreams(streamPlan, say),
  engine: () => engine(quick ? 3 : 7),
  rest: () =>
    rest({
      numbers: quick ? [2] : [2, 10_000],
      settleMs: quick ? 20_000 : 30_000,
      watchMs: 10_000,
      load: { ...plan, rounds: 1 },
    }),
  fleet: () => fleet(fleetPlan, say),
  calls: () => calls(quick ? { rounds: 3, times: 4 } : { rounds: 7, times: 10 }),
}

function chosen(): string[] {
  const names = flags.only.flatMap((list) => list.split(','))
  const unknown = names.filter((name) => !(name in parts))
  if (unknown.length > 0) throw new Error(`no part is called ${unknown.join(', ')}: ${Object.keys(parts).join(', ')}`)
  // `many` begins with what `streams` is, and `fleet` takes a quarter of an hour or more.
  const separate = new Set(['streams', 'fleet'])
  return Object.keys(parts).filter((name) => (names.length === 0 ? !separate.has(name) : names.includes(name)))
}

async function main(): Promise<void> {
  const started = performance.now()
  const facts: Record<string, unknown> = {}
  const targets: Target[] = []
  for (const name of chosen()) {
    say(`${name} …`)
    const begun = performance.now()
    const finding = (await parts[name]?.()) as Finding
    facts[name] = finding.facts
    targets.push(...finding.targets)
    say(`${name} took ${Math.round((performance.now() - begun) / 1_000)} s`)
    print(`\n${finding.lines.join('\n')}`)
  }
  if (targets.length > 0) print(`\n${['Targets', ...targetLines(targets)].join('\n')}`)
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version }
  const seconds = Math.round((performance.now() - started) / 1_000)
  const judged = targets.map((target) => ({ ...target, met: target.value <= target.atMost }))
  const report = { at: new Date().toISOString(), seconds, machine, plan, targets: judged, ...facts }
  mkdirSync('dist', { recursive: true })
  writeFileSync('dist/bench.json', `${JSON.stringify(report, null, 2)}\n`)
  print(`\nall numbers, taken in ${seconds} s: dist/bench.json`)
}

await main()
process.exit(0)
