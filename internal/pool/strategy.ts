import type { Bits } from './bits.ts'
import { expiresAt } from './expiry.ts'
import { IndexedHeap } from './heap.ts'
import type { At } from './outcome.ts'
import type { Seat } from './seat.ts'

export const strategies = ['sticky', 'ordered', 'round-robin', 'least-loaded', 'weighted', 'expiring-first'] as const
export type StrategyName = (typeof strategies)[number]

/** Which of the seats that can serve is next. Seats are known by their rank in the selection index. */
export interface Strategy {
  /** Whether a member whose cooldown has elapsed takes its turn among the healthy (every strategy but `sticky`). */
  readonly testsInTurn: boolean
  /** The next seat of `ready` that fits, or -1. `active` is the rank of the sticky pointer, -1 without one. */
  pick(ready: Bits, active: number, fits: (index: number) => boolean): number
  /** The seat entered or left the set of those that can serve, or its load changed. */
  update(seat: Seat, ready: boolean, now: At): void
  /** The seat was chosen, in whichever rung. */
  used(seat: Seat): void
}

/** The strategy of that name over `size` seats. */
export function strategy(name: StrategyName, size: number): Strategy {
  switch (name) {
    case 'sticky':
      return walking(false, (active) => Math.max(active, 0))
    case 'ordered':
      return walking(true, () => 0)
    case 'round-robin':
      return roundRobin()
    case 'least-loaded':
      return leastLoaded(size)
    case 'weighted':
      return weighted(size)
    case 'expiring-first':
      return expiringFirst(size)
  }
}

/** The first seat of `file` that fits, beginning at rank `start` and going round, or -1. */
export function walk(file: Bits, start: number, fits: (index: number) => boolean): number {
  const first = file.around(start)
  if (first < 0 || fits(first)) return first
  for (let at = file.around(first + 1); at !== first; at = file.around(at + 1)) {
    if (fits(at)) return at
  }
  return -1
}

const nothing = () => undefined

function walking(testsInTurn: boolean, start: (active: number) => number): Strategy {
  return {
    testsInTurn,
    pick: (ready, active, fits) => walk(ready, start(active), fits),
    update: nothing,
    used: nothing,
  }
}

function roundRobin(): Strategy {
  let cursor = 0
  return {
    testsInTurn: true,
    pick: (ready, _active, fits) => walk(ready, cursor, fits),
    update: nothing,
    used: (seat) => {
      cursor = seat.index + 1
    },
  }
}

// In-flight counts come first and the order of use decides among equals; 2^32 uses fit below one in-flight request.
const loadUnit = 2 ** 32

function leastLoaded(size: number): Strategy {
  const heap = new IndexedHeap(size)
  const key = (seat: Seat) => seat.inFlight * loadUnit + seat.lastUse
  return {
    testsInTurn: true,
    pick: (_ready, _active, fits) => heap.firstThat(fits),
    update: (seat, ready) => (ready ? heap.put(seat.index, key(seat)) : heap.remove(seat.index)),
    used: (seat) => {
      if (heap.has(seat.index)) heap.put(seat.index, key(seat))
    },
  }
}

// Stride scheduling (Waldspurger 1995): each use moves a seat on by 1/weight; one that comes back starts at the front
// of the line, not with the turns that it missed.
function weighted(size: number): Strategy {
  const heap = new IndexedHeap(size)
  const passes = new Float64Array(size)
  let front = 0
  return {
    testsInTurn: true,
    pick: (_ready, _active, fits) => heap.firstThat(fits),
    update(seat, ready) {
      if (!ready) return heap.remove(seat.index)
      if (heap.has(seat.index)) return
      passes[seat.index] = Math.max(passes[seat.index]!, front)
      heap.put(seat.index, passes[seat.index]!)
    },
    used(seat) {
      const pass = passes[seat.index]!
      passes[seat.index] = pass + 1 / seat.weight
      if (!heap.has(seat.index)) return
      front = pass
      heap.put(seat.index, passes[seat.index]!)
    },
  }
}

// Whose quota is not known to expire comes last, in the order of the pool: it is not begun before it is needed.
function expiringFirst(size: number): Strategy {
  const heap = new IndexedHeap(size)
  return {
    testsInTurn: true,
    pick: (_ready, _active, fits) => heap.firstThat(fits),
    update(seat, ready, now) {
      if (ready) heap.put(seat.index, expiresAt(seat.meter.windows, now))
      else heap.remove(seat.index)
    },
    used: nothing,
  }
}
