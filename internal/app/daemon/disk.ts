import type { Clock } from '../../clock/clock.ts'
import { type Config, readableSize, reserveOf } from '../../config/config.ts'
import type { Core } from '../core.ts'

const everyMs = 30_000

/** The disk of the data directory, as last seen. */
export interface Disk {
  readonly freeBytes: number | null
  /** What is to stay free; null until it is known. */
  readonly reserveBytes: number | null
  /** Whether less than the reserve is free, so that only what is needed is written. */
  readonly isShort: boolean
  stop(): void
}

/** Looks at the free disk every 30 s and tells once when it falls below the reserve, and once when it is well again. */
export function watchDisk(
  core: Core,
  clock: Clock,
  { disk, path }: { disk: () => Config['disk']; path: string },
): Disk {
  let freeBytes: number | null = null
  let reserveBytes: number | null = null
  let isShort = false
  let cancel = () => {}
  let stopped = false

  function judge({ freeBytes: free, totalBytes }: { freeBytes: number; totalBytes: number }): void {
    freeBytes = free
    const reserve = reserveOf(disk(), totalBytes)
    reserveBytes = reserve
    if (free < reserve === isShort) return
    isShort = free < reserve
    core.engine.spareDisk(isShort)
    const what = `${readableSize(free)} of disk are free, less than the reserve of ${readableSize(reserve)}: counts of repeats are not written until there is more`
    const room = { freeBytes: free, reserveBytes: reserve, path }
    if (isShort) core.engine.tell({ kind: 'store_trouble', detail: { what, disk: room } })
    else core.engine.tell({ kind: 'store_healed', detail: { disk: true } })
  }

  async function look(): Promise<void> {
    try {
      judge(await core.store.space())
    } catch {
      // A store that does not answer is told by the journal; what is free is then unknown.
      freeBytes = null
    }
    if (!stopped) cancel = clock.after(everyMs, () => void look())
  }

  void look()
  return {
    get freeBytes() {
      return freeBytes
    },
    get reserveBytes() {
      return reserveBytes
    },
    get isShort() {
      return isShort
    },
    stop() {
      stopped = true
      cancel()
    },
  }
}
