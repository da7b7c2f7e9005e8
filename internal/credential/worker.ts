import { parentPort, workerData } from 'node:worker_threads'
import { runCommand } from './command.ts'
import { dropFile, readFile, replaceFile, reserveFile, stamp } from './disk.ts'
import type { Answer, Asked, Errand, Errands } from './errand.ts'

/**
 * Does blocking work for the main thread, one errand at a time. It may hang in a system call for ever: whoever asked
 * has a deadline and starts another worker.
 */
const { progress } = workerData as { progress: Int32Array }

const errands: { readonly [E in Errand]: (asked: Errands[E]['asks']) => Errands[E]['answers'] } = {
  read: ({ path }) => readFile(path),
  stamps: ({ paths }) =>
    paths.map((path, i) => {
      Atomics.store(progress, 0, i)
      return stamp(path)
    }),
  reserve: ({ path, bytes }) => reserveFile(path, bytes),
  replace: ({ path, spare, before, after }) => replaceFile(path, { spare, before, after }),
  drop: ({ path }) => {
    dropFile(path)
    return undefined
  },
  run: ({ words, timeoutMs }) => runCommand(words, timeoutMs),
}

function answer<E extends Errand>(asked: Asked<E>): Answer {
  try {
    return { result: errands[asked.errand](asked.details) }
  } catch (error) {
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null
    return { failed: error instanceof Error ? error.message : String(error), code }
  }
}

parentPort?.on('message', (asked: Asked<Errand>) => parentPort?.postMessage(answer(asked)))
