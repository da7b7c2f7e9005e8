/** What proxied requests and events cost, side by side with other proxies. */
import { compare, type Measured, type Plan, type Scenario } from './compare.ts'
import { type Finding, median, pairedRatio, type Spread, said, saidSpread, spreadOf, type Target } from './finding.ts'
import { done, event, kilobyte } from './payload.ts'
import { together } from './together.ts'
import { bareHttpProxy, bareUndici, haproxy, nginx, portkey, spillway } from './variants.ts'

/** A POST of 2 KB that is answered with 1 KB of JSON. */
export const plain: Scenario = {
  name: 'POST 2 KB → 1 KB',
  query: '',
  bodyBytes: 2_048,
  answerBytes: kilobyte.length,
  connections: 32,
  status: 200,
  unit: 'request',
}

function streamOf(events: number, more: Pick<Scenario, 'name' | 'query' | 'connections'>): Scenario {
  return { ...plain, ...more, unit: 'event', answerBytes: events * event.length + done.length }
}

const streaming = {
  dense: streamOf(500, { name: 'SSE, 500 events without gaps', query: '?events=500', connections: 8 }),
  spaced: streamOf(50, { name: 'SSE, 50 events 10 ms apart', query: '?events=50&gap=10', connections: 100 }),
}

const scenarios: readonly Scenario[] = [
  plain,
  { ...plain, name: 'POST 40 KB → 1 KB', bodyBytes: 40_960 },
  { ...plain, name: 'POST 1 MB → 1 KB', bodyBytes: 1_048_576, connections: 8 },
  streaming.dense,
  streaming.spaced,
]

/** One scenario: µs of CPU per unit, and what spillway costs in multiples of each. */
export interface Row {
  readonly scenario: string
  readonly unit: 'request' | 'event'
  readonly proxies: readonly {
    readonly name: string
    readonly micros: Spread
    /** spillway over this one, paired by round. */
    readonly ratio: Spread
    readonly unitsPerSecond: number
    readonly p99Ms: number
  }[]
}

/** All proxies side by side. The first scenario warms up for the others, which get a part of its time. */
export function proxied(plan: Plan, say: (line: string) => void): Promise<Finding> {
  const variants = [nginx, haproxy, bareHttpProxy, bareUndici, portkey, spillway()]
  return together(variants, async ({ proxies, missing }) => {
    const rows: Row[] = []
    for (const scenario of scenarios) {
      // Portkey takes some 40 times as long; one scenario shows that.
      const taking = scenario === plain ? proxies : proxies.filter(({ name }) => name !== 'portkey')
      say(`${scenario.name}: ${taking.map(({ name }) => name).join(', ')}`)
      const contenders = taking.map((proxy) => ({ proxy, scenario }))
      const warmUpMs = scenario === plain ? plan.warmUpMs : plan.warmUpMs / 4
      rows.push(rowOf(scenario, await compare(contenders, { ...plan, warmUpMs })))
    }
    const notMeasured = missing.map((what) => `not measured: ${what}`)
    return { lines: [...rows.flatMap(linesOf), ...notMeasured], facts: { rows, missing }, targets: targetsOf(rows) }
  })
}

function microsOf(measured: readonly Measured[], of: string): number[] {
  return measured.find(({ name }) => name === of)?.samples.map(({ microsPerUnit }) => microsPerUnit) ?? []
}

/** What was measured of all proxies in a scenario. */
export function rowOf({ name: scenario, unit }: Scenario, measured: readonly Measured[]): Row {
  const ours = microsOf(measured, 'spillway')
  const proxies = measured.map(({ name, samples }) => {
    const micros = microsOf(measured, name)
    return {
      name,
      micros: spreadOf(micros),
      ratio: pairedRatio(ours, micros),
      unitsPerSecond: median(samples.map(({ unitsPerSecond }) => unitsPerSecond)),
      p99Ms: median(samples.map(({ p99Ms }) => p99Ms)),
    }
  })
  return { scenario, unit, proxies }
}

/** A row as a table. */
export function linesOf({ scenario, unit, proxies }: Row): string[] {
  const head = `${scenario}: µs of CPU per ${unit}, and spillway ÷ it round by round: median (min–max)`
  const lines = proxies.map(({ name, micros, ratio, unitsPerSecond, p99Ms }) => {
    const rate = `${Math.round(unitsPerSecond)}/s, p99 of an answer ${said(p99Ms, 1)} ms`
    return `  ${name.padEnd(20)} ${saidSpread(micros, 1).padEnd(24)} ${saidSpread(ratio).padEnd(18)} ${rate}`
  })
  return [head, ...lines, '']
}

function targetsOf(rows: readonly Row[]): Target[] {
  const ratio = (scenario: Scenario, peer: string) => ratioIn(rows, scenario, peer)
  return [
    { name: 'CPU per request ÷ http-proxy', value: ratio(plain, bareHttpProxy.name), atMost: 0.45 },
    { name: 'CPU per request ÷ nginx', value: ratio(plain, nginx.name), atMost: 3 },
    { name: 'CPU per request ÷ node:http + undici', value: ratio(plain, bareUndici.name), atMost: 1.05 },
    { name: 'CPU per event, 10 ms apart ÷ nginx', value: ratio(streaming.spaced, nginx.name), atMost: 2.4 },
  ]
}

/** The middle ratio of spillway to a peer in a scenario; NaN when it was not measured. */
export function ratioIn(rows: readonly Row[], { name: scenario }: Scenario, peer: string): number {
  return (
    rows.find((row) => row.scenario === scenario)?.proxies.find(({ name }) => name === peer)?.ratio.median ?? Number.NaN
  )
}
