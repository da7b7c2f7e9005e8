import { systemClock } from '../../clock/clock.ts'
import type { EvidenceShape, FrameShape } from '../../ops/ops.ts'
import { createSystemCalls } from '../system-calls.ts'
import { gatherEvidence, type Progress } from './evidence.ts'

const hourMs = 3_600_000

/** Evidence gathered in this process, for as long as it takes, with a report of how far it is. */
export interface Look {
  evidence(asks: {
    readonly paths: readonly string[]
    readonly sinceMs: number
    readonly frame: FrameShape
    readonly progress?: (progress: Progress) => void
  }): Promise<EvidenceShape>
  stop(): void
}

/** A look at the directories of this machine; `reserveOf` says what is to stay free on a file system of a size. */
export function createLook(
  env: Readonly<Record<string, string | undefined>>,
  reserveOf: (totalBytes: number) => number,
): Look {
  const clock = systemClock()
  const system = createSystemCalls(clock, env)
  return {
    evidence: ({ paths, sinceMs, frame, progress }) =>
      gatherEvidence(
        { paths, sinceMs, frame, forMs: hourMs, ...(progress ? { progress } : {}) },
        { clock, system, reserveOf },
      ),
    stop: () => system.stop(),
  }
}
