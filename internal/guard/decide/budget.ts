import type { Candidate, Totals } from '../isolated/tally.ts'

/** What a directory may hold; null: no limit. */
export interface Limits {
  readonly maxBytes: number | null
  readonly maxFiles: number | null
  readonly maxAge: number | null
}

export type Limit = keyof Limits

/** Which limits the directory is over at `now`; empty when it is within all of them. What was seen of a part is enough to be over. */
export function overBy(
  totals: Pick<Totals, 'bytes' | 'files' | 'oldestAt'>,
  limits: Limits,
  now: number,
): readonly Limit[] {
  const { maxBytes, maxFiles, maxAge } = limits
  const over: Limit[] = []
  if (maxBytes !== null && totals.bytes > maxBytes) over.push('maxBytes')
  if (maxFiles !== null && totals.files > maxFiles) over.push('maxFiles')
  if (maxAge !== null && totals.oldestAt !== null && totals.oldestAt < now - maxAge) over.push('maxAge')
  return over
}

/** Everything that decides what is pruned. */
export interface PruneFacts {
  readonly totals: Pick<Totals, 'bytes' | 'files' | 'oldestAt'>
  readonly limits: Limits
  /** Oldest first; there may be more files than are listed here. */
  readonly oldest: readonly Candidate[]
  /** The first files since the pool's incident began: the evidence. */
  readonly first: readonly Candidate[]
  /** Whether there is such an incident, and how many of its first files are kept. */
  readonly keep: number
  readonly now: number
}

/** The files to delete, oldest first: as many as bring the directory within its limits, and none of the kept. */
export function victims({ totals, limits, oldest, first, keep, now }: PruneFacts): readonly Candidate[] {
  const kept = new Set(first.slice(0, keep).map(({ path }) => path))
  const chosen: Candidate[] = []
  let { bytes, files } = totals
  for (const file of oldest) {
    if (overBy({ bytes, files, oldestAt: file.at }, limits, now).length === 0) break
    if (kept.has(file.path)) continue
    chosen.push(file)
    bytes -= file.bytes
    files--
  }
  return chosen
}
