import type { Clock } from '../clock/clock.ts'
import { BlockingCalls, BlockingFailed } from './calls.ts'
import { emitted } from './emitted.ts'

interface Stat {
  readonly mode: number
  readonly uid: number
  readonly directory: boolean
}

/** The blocking calls of the thread that looks at files. */
export type LookTasks = {
  read: { asks: string; answers: string }
  stat: { asks: string; answers: Stat }
}

/** What a look at one path found: its permission bits and owner, or why there is nothing to see. */
export type FileFact =
  | (Stat & { readonly path: string })
  | { readonly path: string; readonly problem: 'missing' | 'unreadable' | 'hung' }

/** The text of a file; rejects with BlockingFailed, with the code `EHUNG` when it is not here within `deadlineMs`. */
export function readText(path: string, deadlineMs: number, clock: Clock): Promise<string> {
  return looking(clock, (calls) => calls.ask('read', path, { deadlineMs }))
}

/** Looks at each path, in order; paths that do not answer within `deadlineMs` altogether are `hung`. */
export function inspectFiles(paths: readonly string[], deadlineMs: number, clock: Clock): Promise<FileFact[]> {
  const end = clock.mono() + deadlineMs
  return looking(clock, async (calls) => {
    const facts: FileFact[] = []
    for (const path of paths) {
      const leftMs = end - clock.mono()
      facts.push(leftMs > 0 ? await inspect(calls, path, leftMs) : { path, problem: 'hung' })
    }
    return facts
  })
}

async function inspect(calls: BlockingCalls<LookTasks>, path: string, deadlineMs: number): Promise<FileFact> {
  try {
    return { path, ...(await calls.ask('stat', path, { deadlineMs })) }
  } catch (error) {
    const code = error instanceof BlockingFailed ? error.code : null
    if (code === 'EHUNG') return { path, problem: 'hung' }
    return { path, problem: code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : 'unreadable' }
  }
}

/** Looks in a thread of its own, which ends with the look, or is left behind where it hangs. */
async function looking<T>(clock: Clock, look: (calls: BlockingCalls<LookTasks>) => Promise<T>): Promise<T> {
  const script = emitted('./look-worker', import.meta.url)
  const calls = new BlockingCalls<LookTasks>({ clock, script, isolation: 'thread', runners: 1, mostHung: 1 })
  try {
    return await look(calls)
  } finally {
    void calls.stop()
  }
}
