import { rmSync } from 'node:fs'
import { compare, type Measured, median, type Plan, type Scenario } from './compare.ts'
import { forkPinned, listening } from './process.ts'
import {
  bareHttpProxy,
  bareUndici,
  haproxy,
  loadCore,
  nginx,
  portkey,
  type Running,
  spillway,
  type Variant,
} from './variants.ts'

const base = { query: '', bodyBytes: 2_048, answerBytes: null, connections: 32, status: 200, unitsPerRequest: 1 }

const scenarios: readonly Scenario[] = [
  { ...base, name: 'POST 2 KB → 1 KB' },
  { ...base, name: 'POST 40 KB → 1 KB', bodyBytes: 40_960 },
  { ...base, name: 'POST 1 MB → 1 KB', bodyBytes: 1_048_576, connections: 8 },
  { ...base, name: 'SSE, 500 events without gaps', query: '?events=500', connections: 8, unitsPerRequest: 500 },
  { ...base, name: 'SSE, 50 events 10 ms apart', query: '?events=50&gap=10', connections: 100, unitsPerRequest: 50 },
]

/** The medians of one scenario in µs of CPU per unit, with their spread. */
export interface Row {
  readonly scenario: string
  readonly unit: 'request' | 'event'
  readonly proxies: readonly {
    readonly name: string
    readonly micros: number
    readonly min: number
    readonly max: number
    readonly requestsPerSecond: number
    readonly p99Ms: number
  }[]
}

/** All proxies side by side, and what could not be measured. */
export async function proxied(plan: Plan, say: (line: string) => void): Promise<{ rows: Row[]; missing: string[] }> {
  const origin = 18_400
  const upstream = forkPinned('./origin.js', loadCore, [String(origin)])
  const missing: string[] = []
  const running: Running[] = []
  try {
    await listening(origin)
    const variants: readonly Variant[] = [nginx, haproxy, bareHttpProxy, bareUndici, portkey, spillway()]
    for (const [at, variant] of variants.entries()) {
      const started = variant.start(origin + 1 + at, origin)
      if ('missing' in started) missing.push(started.missing)
      else running.push(await started)
    }
    const rows: Row[] = []
    for (const scenario of scenarios) {
      say(`${scenario.name}: ${running.map(({ name }) => name).join(', ')}`)
      // Portkey takes some 40 times as long; one scenario shows that.
      const taking = rows.length === 0 ? running : running.filter(({ name }) => name !== 'portkey')
      rows.push(rowOf(scenario, await compare(scenario, taking, plan)))
    }
    return { rows, missing }
  } finally {
    for (const proxy of running) proxy.stop()
    upstream.kill()
  }
}

function rowOf(scenario: Scenario, measured: readonly Measured[]): Row {
  return {
    scenario: scenario.name,
    unit: scenario.unitsPerRequest === 1 ? 'request' : 'event',
    proxies: measured.map(({ name, samples }) => {
      const micros = samples.map((sample) => sample.microsPerUnit)
      return {
        name,
        micros: median(micros),
        min: Math.min(...micros),
        max: Math.max(...micros),
        requestsPerSecond: median(samples.map((sample) => sample.requestsPerSecond)),
        p99Ms: median(samples.map((sample) => sample.p99Ms)),
      }
    }),
  }
}

/** One spillway for itself in front of the origin, for what is compared with itself. */
export async function alone<T>(variant: Variant, use: (proxy: Running) => Promise<T>): Promise<T> {
  const origin = 18_450
  const upstream = forkPinned('./origin.js', loadCore, [String(origin)])
  let proxy: Running | null = null
  try {
    await listening(origin)
    const started = variant.start(origin + 1, origin)
    if ('missing' in started) throw new Error(started.missing)
    proxy = await started
    return await use(proxy)
  } finally {
    proxy?.stop()
    upstream.kill()
    if (proxy?.data) rmSync(proxy.data, { recursive: true, force: true })
  }
}

export const refusal: Scenario = { ...base, name: 'refusal', status: 429 }
