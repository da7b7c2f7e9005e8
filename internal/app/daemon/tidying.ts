import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Cancel, Clock } from '../../clock/clock.ts'

/** How often it is looked whether there is anything to tidy. */
const everyMs = 300_000
/** A process that takes less of the CPU in that time has nothing to do. */
const restingMs = 1_000
/** What V8 has for young objects where nothing is to do. */
const littleBytes = 4 * 1_048_576

/** What is tidied. */
export interface Room {
  /** The CPU time that the process has taken, in ms. */
  cpuMs(): number
  /** How much V8 keeps for young objects. */
  youngBytes(): number
  /** Collects all garbage and gives back what is free. */
  collect(): void
}

/**
 * Gives back the memory that V8 has taken for a time of much work and would keep, once there has been next to nothing to do
 * for five minutes; returns the end of that.
 */
export function tidyAtRest(clock: Clock, room: Room = ours): Cancel {
  let before = room.cpuMs()
  let cancel: Cancel = () => {}
  const look = () => {
    const now = room.cpuMs()
    if (now - before < restingMs && room.youngBytes() > littleBytes) room.collect()
    before = room.cpuMs()
    cancel = clock.after(everyMs, look)
  }
  cancel = clock.after(everyMs, look)
  return () => cancel()
}

const ours: Room = {
  cpuMs() {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1_000
  },
  youngBytes: () => getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0,
  collect() {
    // Only contexts that are made meanwhile see it.
    setFlagsFromString('--expose-gc')
    const collect: () => void = runInNewContext('gc')
    setFlagsFromString('--no-expose-gc')
    // What the first lets go of, the second gives back.
    collect()
    collect()
  },
}
