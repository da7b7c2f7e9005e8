/**
 * The candidate that `name` was probably meant to be: the nearest by Damerau–Levenshtein distance without regard to case,
 * hyphens and underscores, or null when none is within a third of the length (at most 3 edits). Ties go to the earlier one.
 */
export function suggest(name: string, candidates: Iterable<string>): string | null {
  const wanted = plain(name)
  let best: string | null = null
  let bestDistance = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    const offered = plain(candidate)
    const limit = Math.min(3, Math.floor(Math.max(wanted.length, offered.length) / 3), bestDistance - 1)
    if (Math.abs(wanted.length - offered.length) > limit) continue
    const distance = editDistance(wanted, offered)
    if (distance > limit) continue
    best = candidate
    bestDistance = distance
  }
  return best
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[-_]/g, '')
}

/** Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b` (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let older: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const cost = a[row - 1] === b[column - 1] ? 0 : 1
      let least = Math.min(previous[column]! + 1, current[column - 1]! + 1, previous[column - 1]! + cost)
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        least = Math.min(least, older[column - 2]! + 1)
      }
      current.push(least)
    }
    older = previous
    previous = current
  }
  return previous[b.length]!
}
