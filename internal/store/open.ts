import { resolve } from 'node:path'
import type { Store } from './api.ts'
import type { StoreKey } from './fingerprint.ts'
import type { WorkerOptions } from './message.ts'
import type { Steps } from './steps.ts'
import { storeOf } from './steps.ts'
import { Thread, type Timers } from './thread.ts'

export interface SqliteOptions {
  readonly file: string
  /** Of the master key; a store that belongs to another one is refused. */
  readonly key: StoreKey
  readonly clock: Timers
  /** How long a call may take before it is rejected. */
  readonly deadlineMs: number
  /** The version of the program, named to older ones that meet this database. */
  readonly program?: string
  /** To go on with a copy into it that was cut off. */
  readonly resumes?: boolean
}

/** Opening looks through the whole file, and the disk may be cold. */
const openMs = 30_000

/**
 * The Store in the SQLite file, which is created when it is missing. Rejects with a StoreError when the file is damaged, not
 * ours, written by a newer version or with another master key, or cannot be reached; its bytes are then as before.
 */
export async function openSqliteStore(options: SqliteOptions): Promise<Store> {
  const { key, clock, deadlineMs, program = 'of another version', resumes = false } = options
  // A statement that waits for a lock must give up well before its worker is taken to hang.
  const busyMs = Math.min(1_000, Math.floor(deadlineMs / 4))
  const base = { file: resolve(options.file), key, busyMs, program, resumes }
  const thread = new Thread({
    script: workerScript(),
    data: (again): WorkerOptions => ({ ...base, again }),
    timers: clock,
    deadlineMs,
  })
  try {
    await thread.call('open', null, Math.max(openMs, deadlineMs))
  } catch (error) {
    await thread.close()
    throw error
  }
  return storeOf(stepsOn(thread), () => thread.close())
}

function stepsOn(thread: Thread): Steps {
  return {
    load: (asks) => thread.call('load', asks),
    commit: (asks) => thread.call('commit', asks),
    refreshState: (asks) => thread.call('refreshState', asks),
    audit: (asks) => thread.call('audit', asks),
    verify: (asks) => thread.call('verify', asks),
    prune: (asks) => thread.call('prune', asks),
    usage: (asks) => thread.call('usage', asks),
    pruneUsage: (asks) => thread.call('pruneUsage', asks),
    incidents: (asks) => thread.call('incidents', asks),
    outbox: (asks) => thread.call('outbox', asks),
    usageSamples: (asks) => thread.call('usageSamples', asks),
    thinSamples: (asks) => thread.call('thinSamples', asks),
    space: (asks) => thread.call('space', asks),
  }
}

/** Worker threads run emitted JavaScript, also when this file runs from its source. */
function workerScript(): URL {
  if (import.meta.url.endsWith('.js')) return new URL('./worker.js', import.meta.url)
  return new URL('../../dist/internal/store/worker.js', import.meta.url)
}
