import { believedUntil, type Usage } from './foresight/usage.ts'
import type { At } from './outcome.ts'

/** Percent of each window, by its name, that a member may be used up to. */
export type Caps = Readonly<Record<string, number>>

/** Until when a member counts as used up because one of its windows has reached its cap; 0 when none has. */
export function cappedUntil({
  caps,
  meter,
}: {
  readonly caps: Caps
  readonly meter: { windows: readonly Usage[] }
}): At {
  let until = 0
  for (const usage of meter.windows) {
    const cap = caps[usage.window]
    if (cap !== undefined && !usage.isPartial && usage.usedPercent >= cap) until = Math.max(until, believedUntil(usage))
  }
  return until
}
