import { BlockingCalls, emitted } from '../../blocking/blocking.ts'
import type { Clock } from '../../clock/clock.ts'
import type { FileContent } from './disk.ts'

/** The blocking calls of the thread that looks at files and runs commands. */
export type FileTasks = {
  read: { asks: { path: string }; answers: FileContent }
  /** `progress` shows from outside which of the paths is being looked at. */
  stamps: { asks: { paths: readonly string[]; progress: Int32Array }; answers: readonly (string | null)[] }
  reserve: { asks: { path: string; bytes: number }; answers: string }
  replace: { asks: { path: string; spare: string; before: string; after: string }; answers: string | null }
  drop: { asks: { path: string }; answers: undefined }
  run: { asks: { words: readonly [string, ...string[]]; timeoutMs: number }; answers: string }
}

/** The blocking calls of the thread that holds the locks. */
export type LockTasks = {
  /** Takes the lock; false: somebody else holds it. */
  lock: { asks: { path: string; beside: boolean }; answers: boolean }
  unlock: { asks: { path: string; beside: boolean }; answers: undefined }
  mark: { asks: { path: string; staleMs: number }; answers: boolean }
  touch: { asks: { path: string }; answers: undefined }
  unmark: { asks: { path: string }; answers: undefined }
}

export type FileCalls = BlockingCalls<FileTasks>
export type LockCalls = BlockingCalls<LockTasks>

/** Threads that hang in the kernel cannot be ended; no more than this many are left behind at a time. */
const mostHung = 3

/** Calls for files and commands; the thread is started by the first of them. */
export function fileCalls(clock: Clock): FileCalls {
  return new BlockingCalls<FileTasks>({
    clock,
    script: emitted('./worker', import.meta.url),
    isolation: 'thread',
    runners: 1,
    mostHung,
  })
}

/** Calls for locks, in a thread of their own: no hung mount keeps a lock from being given back. */
export function lockCalls(clock: Clock): LockCalls {
  return new BlockingCalls<LockTasks>({
    clock,
    script: emitted('./lockworker', import.meta.url),
    isolation: 'thread',
    runners: 1,
    mostHung,
  })
}
