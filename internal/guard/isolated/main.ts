import { type Handlers, serve } from '../../blocking/blocking.ts'
import { answered } from './command.ts'
import { createFile, look, removeFile, space } from './look.ts'
import { mounts } from './mounts.ts'
import { probe } from './probe.ts'
import { remove } from './remove.ts'
import type { GuardTasks } from './tasks.ts'
import { walk } from './walk.ts'

/** The process that touches what may hang. */
const handlers: Handlers<GuardTasks> = {
  probe: ({ path }) => probe(path),
  look: ({ path }) => look(path),
  space: ({ path }) => space(path),
  createFile: ({ path }) => createFile(path),
  removeFile: ({ path }) => removeFile(path),
  mounts: () => mounts(),
  command: answered,
  walk,
  remove,
}

serve(handlers)
