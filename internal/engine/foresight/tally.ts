import type { SampledWork } from '../../store/store.ts'

interface Count {
  readonly pool: string
  readonly key: string
  requests: number
  percent: number
  /** Requests since the percentage last grew. */
  open: number
}

/** More keys than these are counted together in a sample. */
const mostKeys = 8

/** Who asked a credential in the present five minutes, and how much of its longest limit that used. */
export class Tally {
  readonly #counts = new Map<string, Count>()

  /** One more request. */
  count(pool: string, key: string): void {
    const name = `${pool}\n${key}`
    let count = this.#counts.get(name)
    if (!count) {
      count = { pool, key, requests: 0, percent: 0, open: 0 }
      this.#counts.set(name, count)
    }
    count.requests++
    count.open++
  }

  /** The percentage has grown by so much: those who asked since the last time have used it, each request the same. */
  grew(percent: number): void {
    let open = 0
    for (const count of this.#counts.values()) open += count.open
    for (const count of this.#counts.values()) {
      count.percent += open === 0 ? 0 : (percent * count.open) / open
      count.open = 0
    }
  }

  /** What was counted since the last time, the largest keys by name. */
  take(): readonly SampledWork[] {
    const counts = [...this.#counts.values()].filter(({ requests }) => requests > 0)
    const work = counts.map(({ pool, key, requests, percent }) => ({ pool, key, requests, percent: rounded(percent) }))
    for (const [name, count] of this.#counts) {
      if (count.open === 0) this.#counts.delete(name)
      else Object.assign(count, { requests: 0, percent: 0 })
    }
    return byPool(work)
  }
}

function byPool(work: readonly SampledWork[]): readonly SampledWork[] {
  if (work.length <= mostKeys) return work
  const largest = work.toSorted((one, other) => other.percent - one.percent || other.requests - one.requests)
  const rest = new Map<string, SampledWork>()
  for (const { pool, requests, percent } of largest.slice(mostKeys)) {
    const sum = rest.get(pool) ?? { pool, key: null, requests: 0, percent: 0 }
    rest.set(pool, { ...sum, requests: sum.requests + requests, percent: sum.percent + percent })
  }
  return [...largest.slice(0, mostKeys), ...rest.values()]
}

function rounded(percent: number): number {
  return Math.round(percent * 1_000) / 1_000
}
