/** Something that was done under a lease. */
export interface Act {
  readonly at: number
  readonly who: string
  readonly generation: number
}

/** What is wrong with a history of acts under one lease, checked once all has been done; nothing when it is in order. */
export function faultsOfHistory(history: readonly Act[]): readonly string[] {
  const faults: string[] = []
  const holders = new Map<number, string>()
  let newest = 0
  for (const { at, who, generation } of [...history].sort((one, other) => one.at - other.at)) {
    const holder = holders.get(generation) ?? who
    holders.set(generation, holder)
    if (holder !== who) faults.push(`generation ${generation} was ${holder}'s, and ${who} acted under it at ${at}`)
    if (generation < newest)
      faults.push(`${who} acted at ${at} under generation ${generation}, after ${newest} had begun`)
    newest = Math.max(newest, generation)
  }
  return faults
}
