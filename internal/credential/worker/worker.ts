import { type Handlers, serve } from '../../blocking/blocking.ts'
import { outputOf } from '../sources/command.ts'
import { dropFile, readFile, replaceFile, reserveFile, stamp } from './disk.ts'
import type { FileTasks } from './tasks.ts'

/** The thread that looks at files and runs commands. */
const handlers: Handlers<FileTasks> = {
  read: ({ path }) => readFile(path),
  stamps: ({ paths, progress }) =>
    paths.map((path, at) => {
      Atomics.store(progress, 0, at)
      return stamp(path)
    }),
  reserve: ({ path, bytes }) => reserveFile(path, bytes),
  replace: ({ path, spare, before, after }) => replaceFile(path, { spare, before, after }),
  drop: ({ path }) => {
    dropFile(path)
    return undefined
  },
  run: ({ words, timeoutMs }) => outputOf(words, timeoutMs),
}

serve(handlers)
