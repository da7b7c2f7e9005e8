import { BlockingCalls, type BlockingCode, BlockingFailed, emitted } from '../blocking/blocking.ts'
import type { Clock } from '../clock/clock.ts'
import { type PathState, stateOf } from './decide/path.ts'
import type { CommandAnswer } from './isolated/command.ts'
import type { Mount } from './isolated/mounts.ts'
import type { RemoveAnswer, RemoveAsk } from './isolated/remove.ts'
import type { GuardTasks } from './isolated/tasks.ts'
import type { WalkAnswer, WalkAsk } from './isolated/walk.ts'

/** Everything that the guard does to the outside, each within a deadline; what may hang does so elsewhere. */
export interface SystemCalls {
  /** Never rejects. */
  probe(path: string, deadlineMs: number): Promise<PathState>
  /** When the file was written last, null when there is none; rejects when it cannot be told. */
  look(path: string): Promise<{ readonly at: number } | null>
  space(path: string): Promise<{ readonly freeBytes: number; readonly totalBytes: number }>
  /** Makes an empty file; false: it is there already. */
  createFile(path: string): Promise<boolean>
  /** Removes a file; false: it is not there. */
  removeFile(path: string): Promise<boolean>
  mounts(): Promise<readonly Mount[]>
  /** Never rejects: a command that cannot be run has no code. */
  command(words: readonly [string, ...string[]], deadlineMs: number): Promise<CommandAnswer>
  walk(asks: WalkAsk): Promise<WalkAnswer>
  remove(asks: RemoveAsk): Promise<RemoveAnswer>
  stop(): void
}

const lookMs = 2_000
/** A slice of a walk takes as long as it is told to; a directory of a million names is read in one go. */
const walkMs = 60_000
const removeMs = 60_000
/** A command has this long to be found and started, on top of its own deadline. */
const commandGraceMs = 5_000
const mostRunners = 3

/**
 * System calls in processes of their own: one that hangs in a mount is killed, and nothing of it stays in ours. Directories are
 * walked in a process of their own, so that probes never wait for a walk.
 */
export function createSystemCalls(clock: Clock, env: Readonly<Record<string, string | undefined>>): SystemCalls {
  const options = {
    clock,
    script: emitted('./isolated/main', import.meta.url),
    isolation: 'process',
    mostHung: mostRunners,
    env: passedOn(env),
  } as const
  const paths = new BlockingCalls<GuardTasks>({ ...options, runners: mostRunners })
  const folders = new BlockingCalls<GuardTasks>({ ...options, runners: 1 })
  return {
    async probe(path, deadlineMs) {
      try {
        await paths.ask('probe', { path }, { deadlineMs })
        return 'readable'
      } catch (error) {
        return stateOf(codeOf(error))
      }
    },
    look: (path) => paths.ask('look', { path }, { deadlineMs: lookMs, urgent: true }),
    space: (path) => paths.ask('space', { path }, { deadlineMs: lookMs, urgent: true }),
    createFile: (path) => paths.ask('createFile', { path }, { deadlineMs: lookMs, urgent: true }),
    removeFile: (path) => paths.ask('removeFile', { path }, { deadlineMs: lookMs, urgent: true }),
    mounts: () => paths.ask('mounts', null, { deadlineMs: lookMs, urgent: true }),
    async command(words, deadlineMs) {
      try {
        return await paths.ask(
          'command',
          { words, deadlineMs },
          { deadlineMs: deadlineMs + commandGraceMs, urgent: true },
        )
      } catch (error) {
        return { code: null, output: '', said: error instanceof Error ? error.message : String(error) }
      }
    },
    walk: (asks) => folders.ask('walk', asks, { deadlineMs: asks.sliceMs + walkMs }),
    remove: (asks) => folders.ask('remove', asks, { deadlineMs: removeMs }),
    stop() {
      // Ended in the background: processes that are left behind are killed, and none of them keeps ours.
      void paths.stop()
      void folders.stop()
    },
  }
}

/** The system's code of an error; null when it has none. */
export function codeOf(error: unknown): BlockingCode | null {
  return error instanceof BlockingFailed ? error.code : null
}

/** Commands get our environment without what looks like a secret, and without what is meant for us. */
function passedOn(env: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  const own = /^(SPILLWAY_|NODE_OPTIONS$)|KEY|TOKEN|SECRET|PASSW|CREDENTIAL/i
  return Object.fromEntries(Object.entries(env).filter(([name]) => !own.test(name)))
}
