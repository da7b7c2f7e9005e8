import { workerData } from 'node:worker_threads'
import { runCommand } from '../sources/command.ts'
import { dropFile, readFile, replaceFile, reserveFile, stamp } from './disk.ts'
import { serve } from './serving.ts'

/** The thread that looks at files and runs commands. `progress` shows how far a list of paths is. */
const { progress } = workerData as { progress: Int32Array }

serve({
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
})
