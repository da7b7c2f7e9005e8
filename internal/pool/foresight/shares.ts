import type { At } from '../outcome.ts'

/** How much each client key uses of a pool: what is older counts less. */
export interface Shares {
  readonly at: At
  readonly keys: ReadonlyMap<string, Used>
}

interface Used {
  readonly percent: number
  readonly requests: number
}

/** What a key used in a sample; null: several small ones together. */
export interface KeyWork extends Used {
  readonly key: string | null
}

/** After this time what a key has used counts half, in ms. */
const halfMs = 6 * 3_600_000
/** Less than this part of all is nobody's. */
const leastShare = 0.005

export const noShares: Shares = { at: 0, keys: new Map() }

/** The shares after a sample at `at`. */
export function sharesAfter(shares: Shares, work: readonly KeyWork[], at: At): Shares {
  const part = 2 ** -(Math.max(0, at - shares.at) / halfMs)
  const keys = new Map<string, Used>()
  for (const [key, { percent, requests }] of shares.keys) {
    const left = requests * part
    if (left >= 0.01) keys.set(key, { percent: percent * part, requests: left })
  }
  for (const { key, percent, requests } of work) {
    if (key === null) continue
    const used = keys.get(key) ?? { percent: 0, requests: 0 }
    keys.set(key, { percent: used.percent + percent, requests: used.requests + requests })
  }
  return { at, keys }
}

/** Which part of all each key burns, the largest first: by percent; by requests, while no percentage has grown. */
export function burners({ keys }: Shares): readonly { readonly key: string; readonly share: number }[] {
  const all = [...keys]
  const percent = all.reduce((sum, [, used]) => sum + used.percent, 0)
  const requests = all.reduce((sum, [, used]) => sum + used.requests, 0)
  return all
    .map(([key, used]) => ({ key, share: percent > 0 ? used.percent / percent : used.requests / requests }))
    .filter(({ share }) => share >= leastShare)
    .sort((one, other) => other.share - one.share || (one.key < other.key ? -1 : 1))
}
