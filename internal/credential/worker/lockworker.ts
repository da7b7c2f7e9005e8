import { type Handlers, serve } from '../../blocking/blocking.ts'
import { lock, unlock } from '../oauth/lock-file.ts'
import { mark, touch, unmark } from '../oauth/lock-marker.ts'
import type { LockTasks } from './tasks.ts'

/** The thread that holds the locks: apart from the files, so that no hung mount keeps a lock from being given back. */
const handlers: Handlers<LockTasks> = {
  lock,
  unlock,
  mark: ({ path, staleMs }) => mark(path, staleMs),
  touch: ({ path }) => touch(path),
  unmark: ({ path }) => unmark(path),
}

serve(handlers)
