import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Case } from '../cases/case.ts'
import { exclusion } from '../cases/excluded.ts'
import { makeCase } from '../cases/make.ts'
import { smaller } from '../cases/minimise.ts'
import { playRound, Uncaught } from './round.ts'
import { Stage } from './stage.ts'
import type { Way } from './ways.ts'

/** What is to be played. */
export interface Order {
  readonly seed: number
  readonly cases: number
  /** null: all of them. */
  readonly kind: string | null
  /** How the proxy speaks to the upstream. */
  readonly way: Way
  /** How many connections are under way at a time. */
  readonly atOnce: number
  /** How many cases are played between two looks at the process. */
  readonly perRound: number
  /** Ends with so many findings. */
  readonly mostFindings: number
  /** Told after each round. */
  readonly onRound?: (counts: Counts) => void
}

/** How many cases of each kind were played, and what upstreams and clients met in them. */
export interface Counts {
  readonly cases: Map<string, number>
  played: number
  /** Not played, because their faults are known. */
  excluded: number
  upstreamRequests: number
}

/** A case that went wrong, as small as it could be made, and what was wrong with it. */
export interface Finding {
  readonly case: Case
  readonly faults: readonly string[]
  /** Whether it goes wrong each time it is played alone. */
  readonly isSteady: boolean
}

/** Memory is looked at after so many rounds. */
const roundsBetweenLooks = 8

/** So many bytes more may live at any look than at the first. */
const mostGrowth = 48 * 1_048_576

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

function liveBytes(): number {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Plays cases from the seed on: the first has the seed itself, so that a case is played again by its own number. */
export class Run {
  readonly #order: Order
  readonly counts: Counts = { cases: new Map(), played: 0, excluded: 0, upstreamRequests: 0 }
  readonly findings: Finding[] = []
  readonly #uncaught = new Uncaught()
  #stage: Stage | null = null
  #isStopped = false
  #rounds = 0
  #start: number | null = null

  constructor(order: Order) {
    this.#order = order
  }

  /** Ends with the present round. */
  stop(): void {
    this.#isStopped = true
  }

  async play(): Promise<this> {
    const { cases, perRound, mostFindings, onRound } = this.#order
    try {
      for (let at = 0; at < cases && this.findings.length < mostFindings && !this.#isStopped; at += perRound) {
        await this.#round(at, Math.min(perRound, cases - at))
        this.#watchMemory()
        onRound?.(this.counts)
      }
    } finally {
      await this.#stage?.close()
      this.#uncaught.stop()
    }
    return this
  }

  /** What lives after a collection, in bytes; it may not grow with the number of cases. */
  #watchMemory(): void {
    const { seed, kind } = this.#order
    if (++this.#rounds % roundsBetweenLooks !== 0) return
    const live = liveBytes()
    this.#start ??= live
    if (live - this.#start < mostGrowth) return
    const faults = [
      `${Math.round((live - this.#start) / 1_048_576)} MB more after ${this.counts.played} cases than at the start`,
    ]
    this.findings.push({ case: makeCase(seed, { kind, pool: 'p0000', key: '' }), faults, isSteady: false })
    this.#start = live
  }

  async #round(from: number, count: number): Promise<void> {
    const { seed, kind, atOnce, perRound } = this.#order
    this.#stage ??= await Stage.start(perRound, this.#order.way)
    const { pools, key, upstream } = this.#stage
    const at = (index: number, pool: string, withKey: string) =>
      makeCase(seed + from + index, { kind, pool, key: withKey })
    const drawn = Array.from({ length: count }, (_, index) => at(index, pools[index] as string, key))
    const cases = drawn.filter((one) => exclusion(one) === null)
    this.counts.excluded += count - cases.length
    for (const one of cases) this.counts.cases.set(one.kind, (this.counts.cases.get(one.kind) ?? 0) + 1)
    this.counts.played += cases.length
    const before = upstream.requests
    const { failed, faults } = await playRound(this.#stage, cases, { atOnce, uncaught: this.#uncaught })
    this.counts.upstreamRequests += upstream.requests - before
    if (failed.length === 0 && faults.length === 0) return
    await this.#stage.close()
    this.#stage = null
    // What happens to the process has no name on it: each case is asked alone.
    const suspects = faults.length > 0 ? cases : failed.map((verdict) => verdict.case)
    const found = await this.#ask(suspects)
    if (found > 0) return
    const first = failed[0]
    const all = [...(first?.faults ?? []), ...faults]
    this.findings.push({
      case: first?.case ?? (cases[0] as Case),
      faults: [...all, `only among ${count} cases together`],
      isSteady: false,
    })
  }

  /** Plays each alone, and makes those that fail smaller; how many failed. */
  async #ask(cases: readonly Case[]): Promise<number> {
    const { mostFindings } = this.#order
    let found = 0
    let stage: Stage | null = null
    for (const one of cases) {
      if (this.findings.length >= mostFindings) break
      stage ??= await Stage.start(1, this.#order.way)
      const again = makeCase(one.seed, { kind: one.kind, pool: stage.pools[0] as string, key: stage.key })
      const faults = await this.#alone(stage, again)
      if (faults.length === 0) continue
      found++
      await stage.close()
      stage = null
      this.findings.push(await this.#minimised(again, faults))
    }
    await stage?.close()
    return found
  }

  async #alone(stage: Stage, one: Case): Promise<readonly string[]> {
    const { failed, faults } = await playRound(stage, [one], { atOnce: 1, uncaught: this.#uncaught })
    return [...failed.flatMap((verdict) => verdict.faults), ...faults]
  }

  async #minimised(one: Case, faults: readonly string[]): Promise<Finding> {
    let least: Omit<Finding, 'isSteady'> = { case: one, faults }
    let tries = 60
    const wanted = new Set(faults.map(shapeOf))
    for (let next = smaller(least.case); next.length > 0 && tries > 0; ) {
      const candidate = next.shift() as Case
      tries--
      const found = await this.#afresh(candidate)
      if (!found.some((fault) => wanted.has(shapeOf(fault)))) continue
      least = { case: candidate, faults: found }
      next = smaller(candidate)
    }
    const isSteady = (await this.#afresh(one)).length > 0
    return { ...least, isSteady }
  }

  /** The same case on a stage of its own, with that stage's key. */
  async #afresh(one: Case): Promise<readonly string[]> {
    const stage = await Stage.start(1, this.#order.way)
    try {
      return await this.#alone(stage, withKey(one, stage.key))
    } finally {
      await stage.close()
    }
  }
}

/** What two cases with the same fault say alike. */
function shapeOf(fault: string): string {
  return fault.slice(0, 60).replace(/\d+|"[^"]*"?|N[0-9a-f]{11}/g, '#')
}

const keyForm = /sk-spillway-[0-9a-f]{16}-[\w-]{43}/g

function withKey(one: Case, key: string): Case {
  return { ...one, requests: one.requests.map((request) => ({ ...request, text: request.text.replace(keyForm, key) })) }
}
