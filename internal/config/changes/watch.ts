import { type FSWatcher, realpathSync, watch } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'

/** The part of a clock that the watcher needs. */
export interface Delay {
  after(delayMs: number, run: () => void): () => void
}

/** Long enough for an editor to finish its writes and renames. */
const settleMs = 250
/** How soon a folder that could not be watched is tried again. */
const rearmMs = 5_000

/**
 * Calls `onChange` once after each burst of changes to the file, also when it is replaced, created later or reached through
 * symbolic links; returns the end of the watch. It watches folders, because a replaced file takes its watch with it, and it
 * does not read the file: a change of nothing is reported too.
 */
export function watchConfig(file: string, onChange: () => void, clock: Delay): () => void {
  let watchers: FSWatcher[] = []
  let cancel: () => void = () => {}

  function later(delayMs: number): void {
    cancel()
    cancel = clock.after(delayMs, changed)
  }
  function disarm(): void {
    for (const watcher of watchers) watcher.close()
    watchers = []
  }
  function arm(): boolean {
    disarm()
    try {
      for (const [folder, names] of targets(file)) watchers.push(watchFolder(folder, names))
      return true
    } catch {
      later(rearmMs)
      return false
    }
  }
  function watchFolder(folder: string, names: ReadonlySet<string>): FSWatcher {
    const watcher = watch(folder, { persistent: false }, (_, name) => {
      if (name === null || names.has(name)) later(settleMs)
    })
    return watcher.on('error', () => later(rearmMs))
  }
  function changed(): void {
    if (arm()) onChange()
  }

  arm()
  return () => {
    cancel()
    disarm()
  }
}

/** The names to look for in each folder: the file, what its links lead to, and the link that Kubernetes swaps. */
function targets(file: string): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>()
  for (const path of [resolve(file), real(file)]) {
    const names = found.get(dirname(path)) ?? new Set(['..data'])
    found.set(dirname(path), names.add(basename(path)))
  }
  return found
}

function real(file: string): string {
  try {
    return realpathSync(file)
  } catch {
    return resolve(file)
  }
}
