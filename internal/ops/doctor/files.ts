import { Worker } from 'node:worker_threads'
import type { Clock } from '../../clock/clock.ts'

/** What a look at one path found: its permission bits and owner, or why there is nothing to see. */
export type FileFact =
  | { readonly path: string; readonly mode: number; readonly uid: number; readonly directory: boolean }
  | { readonly path: string; readonly problem: 'missing' | 'unreadable' | 'hung' }

interface Seen {
  readonly path: string
  readonly code?: string
  readonly mode: number
  readonly uid: number
  readonly directory: boolean
}

// A hung mount blocks whoever looks at it, and an asynchronous call would block one of libuv's few threads, which also
// resolve names. So the look happens synchronously in a thread of its own that may be left behind.
const looker = `
const { parentPort, workerData } = require('node:worker_threads')
const { statSync } = require('node:fs')
for (const path of workerData) {
  try {
    const found = statSync(path)
    parentPort.postMessage({ path, mode: found.mode & 0o777, uid: found.uid, directory: found.isDirectory() })
  } catch (error) {
    parentPort.postMessage({ path, code: error.code ?? 'EUNKNOWN', mode: 0, uid: 0, directory: false })
  }
}
`

/** Looks at each path, in order; paths that do not answer within `deadlineMs` altogether are `hung`. */
export function inspectFiles(paths: readonly string[], deadlineMs: number, clock: Clock): Promise<FileFact[]> {
  return new Promise((resolve) => {
    const seen: FileFact[] = []
    const worker = new Worker(looker, { eval: true, workerData: [...paths] })
    worker.unref()
    const finish = (rest: 'hung' | 'unreadable') => {
      cancel()
      void worker.terminate()
      resolve([...seen, ...paths.slice(seen.length).map((path) => ({ path, problem: rest }))])
    }
    const cancel = clock.after(deadlineMs, () => finish('hung'))
    worker.on('message', (found: Seen) => {
      seen.push(fact(found))
      if (seen.length === paths.length) finish('hung')
    })
    worker.on('error', () => finish('unreadable'))
  })
}

function fact(found: Seen): FileFact {
  const { path, code, mode, uid, directory } = found
  if (code === undefined) return { path, mode, uid, directory }
  return { path, problem: code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : 'unreadable' }
}
