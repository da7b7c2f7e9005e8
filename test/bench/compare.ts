import type { ChildProcess } from 'node:child_process'
import { loadCore } from './cores.ts'
import type { Order, Result } from './load.ts'
import { ask, forkPinned } from './process.ts'
import type { Running } from './variants.ts'

/** What is asked of a proxy. */
export interface Scenario {
  readonly name: string
  readonly query: string
  readonly bodyBytes: number
  readonly answerBytes: number | null
  readonly connections: number
  readonly status: number
  /** What the CPU time is divided by. */
  readonly unit: 'request' | 'event'
  /** Requests per second over all connections, for all proxies at the same time; else as many as each can take, in turn. */
  readonly rate?: number
}

/** One side of a comparison. */
export interface Contender {
  readonly proxy: Running
  readonly scenario: Scenario
}

/** One measured interval of one proxy. */
export interface Sample {
  readonly microsPerUnit: number
  readonly unitsPerSecond: number
  readonly units: number
  readonly p99Ms: number
}

export interface Measured {
  readonly name: string
  readonly samples: readonly Sample[]
}

/** Lengths of the measurement. */
export interface Plan {
  readonly warmUpMs: number
  readonly settleMs: number
  readonly roundMs: number
  readonly rounds: number
  /** The wait until an exhaustion is written down: what its opening left out is counted on the disk after 30 s. */
  readonly openingMs: number
}

/** Measures all contenders in turn, round by round, so that whatever else the machine does meets all of them alike. */
export async function compare(contenders: readonly Contender[], plan: Plan): Promise<readonly Measured[]> {
  const load = forkPinned(new URL('./load.js', import.meta.url), loadCore)
  try {
    for (const contender of contenders) await measure(load, contender, { ...plan, roundMs: plan.warmUpMs })
    const samples = contenders.map((): Sample[] => [])
    for (let round = 0; round < plan.rounds; round++) {
      for (const [at, contender] of contenders.entries()) samples[at]?.push(await measure(load, contender, plan))
    }
    return contenders.map(({ proxy: { name } }, at) => ({ name, samples: samples[at] ?? [] }))
  } finally {
    load.kill()
  }
}

/** Measures all contenders at the same time, each with a load of its own; for scenarios with a rate that all can take. */
export async function compareAtOnce(contenders: readonly Contender[], plan: Plan): Promise<readonly Measured[]> {
  const loads = contenders.map(() => forkPinned(new URL('./load.js', import.meta.url), loadCore))
  const all = (lengths: Plan) =>
    Promise.all(contenders.map((contender, at) => measure(loads[at] as ChildProcess, contender, lengths)))
  try {
    await all({ ...plan, roundMs: plan.warmUpMs })
    const rounds: Sample[][] = []
    for (let round = 0; round < plan.rounds; round++) rounds.push(await all(plan))
    return contenders.map(({ proxy: { name } }, at) => ({
      name,
      samples: rounds.map((samples) => samples[at] as Sample),
    }))
  } finally {
    for (const load of loads) load.kill()
  }
}

async function measure(load: ChildProcess, { proxy, scenario }: Contender, plan: Plan): Promise<Sample> {
  const { bodyBytes, answerBytes, connections, status, unit, query, rate = null } = scenario
  const { port, headers } = proxy
  const order: Order = {
    port,
    headers,
    path: proxy.path + query,
    bodyBytes,
    connections,
    settleMs: plan.settleMs,
    durationMs: plan.roundMs,
    status,
    answerBytes,
    unit,
    rate,
    pids: proxy.pids(),
  }
  const { units, cpuSeconds, seconds, wrong, p99Ms } = await ask<Result>(load, order)
  if (wrong > 0) throw new Error(`${proxy.name}: ${wrong} wrong answers in ${scenario.name}`)
  return { microsPerUnit: (cpuSeconds / units) * 1e6, unitsPerSecond: units / seconds, units, p99Ms }
}
