import type { ChildProcess } from 'node:child_process'
import type { Order, Result } from './load.ts'
import { ask, cpuSeconds, forkPinned } from './process.ts'
import { loadCore, type Running } from './variants.ts'

/** What one scenario asks of every proxy. */
export interface Scenario {
  readonly name: string
  readonly query: string
  readonly bodyBytes: number
  readonly answerBytes: number | null
  readonly connections: number
  readonly status: number
  /** What the CPU time is divided by per request: 1, or the number of events in an answer. */
  readonly unitsPerRequest: number
}

/** One measured interval of one proxy. */
export interface Sample {
  readonly microsPerUnit: number
  readonly requestsPerSecond: number
  readonly p99Ms: number
}

export interface Measured {
  readonly name: string
  readonly samples: readonly Sample[]
}

/** Lengths of the measurement. */
export interface Plan {
  readonly warmUpMs: number
  readonly roundMs: number
  readonly rounds: number
}

/** Measures all proxies in turn, round by round, so that whatever else the machine does meets all of them alike. */
export async function compare(
  scenario: Scenario,
  proxies: readonly Running[],
  plan: Plan,
): Promise<readonly Measured[]> {
  const load = forkPinned('./load.js', loadCore)
  try {
    for (const proxy of proxies) await measure(load, proxy, scenario, plan.warmUpMs)
    const samples = new Map<string, Sample[]>(proxies.map(({ name }) => [name, []]))
    for (let round = 0; round < plan.rounds; round++) {
      for (const proxy of proxies) samples.get(proxy.name)?.push(await measure(load, proxy, scenario, plan.roundMs))
    }
    return proxies.map(({ name }) => ({ name, samples: samples.get(name) ?? [] }))
  } finally {
    load.kill()
  }
}

async function measure(load: ChildProcess, proxy: Running, scenario: Scenario, durationMs: number): Promise<Sample> {
  const { bodyBytes, answerBytes, connections, status, query } = scenario
  const { port, headers } = proxy
  const order: Order = {
    port,
    headers,
    method: 'POST',
    path: proxy.path + query,
    bodyBytes,
    connections,
    durationMs,
    status,
    answerBytes,
  }
  const before = cpuSeconds(proxy.pids())
  const result = await ask<Result>(load, order)
  const cpu = cpuSeconds(proxy.pids()) - before
  if (result.wrong > 0) throw new Error(`${proxy.name}: ${result.wrong} wrong answers in ${scenario.name}`)
  const units = result.requests * scenario.unitsPerRequest
  const { requests, seconds, p99Ms } = result
  return { microsPerUnit: (cpu / units) * 1e6, requestsPerSecond: requests / seconds, p99Ms }
}

/** The middle value; of an even number, the lower of the two in the middle. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN
}
