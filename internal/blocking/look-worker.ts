import { readFileSync, statSync } from 'node:fs'
import type { LookTasks } from './looks.ts'
import { type Handlers, serve } from './serving.ts'

/** The thread that looks at files. */
const handlers: Handlers<LookTasks> = {
  read: (path) => readFileSync(path, 'utf8'),
  stat(path) {
    const found = statSync(path)
    return { mode: found.mode & 0o777, uid: found.uid, directory: found.isDirectory() }
  },
}

serve(handlers)
