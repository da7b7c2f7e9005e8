import { hostname } from 'node:os'
import { systemClock } from '../../clock/clock.ts'
import type { RunDeps } from './run.ts'
import { onStopSignals } from './stop.ts'

/** What a run takes from the process that it is in: real time, chance, stop signals, and a name to hold claims by. */
export function processDeps(): Pick<RunDeps, 'clock' | 'random' | 'holder' | 'onStop'> {
  return {
    clock: systemClock(),
    random: Math.random,
    holder: `pid ${process.pid} on ${hostname()}`.slice(0, 100),
    onStop: onStopSignals,
  }
}
