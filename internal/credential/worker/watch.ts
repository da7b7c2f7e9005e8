import { BlockingFailed } from '../../blocking/blocking.ts'
import type { Cancel, Clock } from '../../clock/clock.ts'
import type { FileCalls } from './tasks.ts'

/** A login elsewhere must be seen within a second, the reading included. */
const pollMs = 500
const deadlineMs = 2_000
/** How long a path that hung is left alone. */
const restMs = 30_000

interface Watched {
  stamp: string | null
  restsUntil: number
  readonly changed: Set<() => void>
}

/** Notices changed files by looking at their stamps twice a second (a mount may deliver no file events). */
export class Watch {
  readonly #clock: Clock
  readonly #calls: FileCalls
  readonly #files = new Map<string, Watched>()
  #timer: Cancel | null = null
  #looking = false

  constructor(clock: Clock, files: FileCalls) {
    this.#clock = clock
    this.#calls = files
  }

  /** Calls `changed` when the stamp of `path` is no longer what `seen` said last; returns the end of it. */
  add(path: string, changed: () => void): () => void {
    const file = this.#files.get(path) ?? { stamp: null, restsUntil: 0, changed: new Set() }
    this.#files.set(path, file)
    // A function of its own per watcher: the same callback may watch twice.
    const entry = () => changed()
    file.changed.add(entry)
    this.#arm()
    return () => {
      file.changed.delete(entry)
      if (file.changed.size === 0) this.#files.delete(path)
    }
  }

  /** The file with this stamp has been read: only another stamp is news. */
  seen(path: string, stamp: string): void {
    const file = this.#files.get(path)
    if (file) file.stamp = stamp
  }

  /** The file could not be read: the next look reports it again. */
  unseen(path: string): void {
    const file = this.#files.get(path)
    if (file) file.stamp = 'unread'
  }

  stop(): void {
    this.#files.clear()
    this.#timer?.()
    this.#timer = null
  }

  #arm(): void {
    if (this.#timer || this.#looking || this.#files.size === 0) return
    this.#timer = this.#clock.after(pollMs, () => {
      this.#timer = null
      this.#looking = true
      void this.#look().finally(() => {
        this.#looking = false
        this.#arm()
      })
    })
  }

  async #look(): Promise<void> {
    const now = this.#clock.now()
    const paths = [...this.#files].filter(([, file]) => file.restsUntil <= now).map(([path]) => path)
    if (paths.length === 0) return
    const progress = new Int32Array(new SharedArrayBuffer(4))
    try {
      const stamps = await this.#calls.ask('stamps', { paths, progress }, { deadlineMs })
      for (const [i, path] of paths.entries()) this.#compare(path, stamps[i] ?? null)
    } catch (error) {
      if (!(error instanceof BlockingFailed) || error.code !== 'EHUNG') return
      const file = this.#files.get(paths[Atomics.load(progress, 0)] ?? '')
      if (file) file.restsUntil = now + restMs
    }
  }

  #compare(path: string, stamp: string | null): void {
    const file = this.#files.get(path)
    if (!file || file.stamp === stamp) return
    file.stamp = stamp
    for (const changed of file.changed) changed()
  }
}
