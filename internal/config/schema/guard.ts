import { z } from 'zod'
import {
  choice,
  command,
  commands,
  duration,
  entries,
  file,
  nameOf,
  namesOf,
  number,
  orNull,
  otherwise,
  pattern,
  size,
  toggle,
} from './kinds.ts'

const budget = z.strictObject({
  path: file('The directory.'),
  match: otherwise(pattern('Which of its files count, at any depth.'), '**'),
  maxBytes: otherwise(orNull(size('The most that its files may take.', { min: '0B', max: '1024TiB' })), null),
  maxFiles: otherwise(orNull(number('The most files.', { min: 0, max: 1_000_000_000 })), null),
  maxAge: otherwise(
    orNull(duration('The oldest that a file may be, since it was written last.', { min: '1s', max: '36500d' })),
    null,
  ),
  keepFirst: otherwise(
    number("How many files are never deleted: the oldest ones since the pool's incident began.", {
      min: 0,
      max: 1_000,
    }),
    3,
  ),
  action: otherwise(choice('Say that it is over, or delete the oldest files.', ['report', 'prune']), 'report'),
  pool: otherwise(
    orNull(nameOf('The pool whose jobs write here; they do not start while it is over.', 'a pool')),
    null,
  ),
})

const anyPause = { min: '100ms', max: '1d' }
const sentinel = otherwise(
  orNull(
    file('Automation is off unless this file exists; null: NAME.enabled in the folder guard of the data directory.'),
  ),
  null,
)

const recover = z.strictObject({
  enabledBy: sentinel,
  unmount: otherwise(toggle('Whether a mountpoint that answers ENOTCONN is unmounted.'), false),
  remount: otherwise(orNull(command('Mounts it again.')), null),
  after: otherwise(commands('Run after it is mounted again.'), []),
  maxPerHour: otherwise(number('The most recoveries in an hour.', { min: 1, max: 60 }), 3),
})

const hotPath = z.strictObject({
  path: otherwise(orNull(file('What work needs to be readable.')), null),
  pathsFrom: otherwise(
    orNull(command('Prints one path a line, those of the next jobs first; the first 10 are looked at.')),
    null,
  ),
  root: otherwise(orNull(file('Only an exact mountpoint under it is ever unmounted.')), null),
  everyMs: otherwise(duration('How often it is looked at.', anyPause), 30_000),
  probeMs: otherwise(duration('How long a look may take.', { min: '10ms', max: '5m' }), 5_000),
  unrecoveredMs: otherwise(duration('After so long people are told.', { min: '0s', max: '7d' }), 600_000),
  recover: recover.prefault({}).describe('What is done about a stale mount.'),
  busy: otherwise(
    orNull(command('Prints the paths that running work uses; a healthy one of these is never disturbed.')),
    null,
  ),
})

const deployLock = z.strictObject({
  path: file('While this file exists, the worker is not started.'),
  staleMs: otherwise(duration('A lock that is older counts as left behind.', { min: '1s', max: '30d' }), 7_200_000),
})

const worker = z.strictObject({
  isActive: command('Exits with 0 while the worker runs.'),
  start: command('Starts the worker.'),
  stop: otherwise(
    orNull(command('Stops the worker; used only while a path that its running work uses is stale.')),
    null,
  ),
  pending: command('Prints how many jobs wait.'),
  running: otherwise(orNull(command('Prints how many jobs are marked running.')), null),
  deployLock: deployLock.nullable().default(null).describe('The lock that a deployment holds.'),
  hotPaths: otherwise(namesOf('What must be readable before it is started.', 'hot paths'), []),
  pool: otherwise(orNull(nameOf('It is not started while this pool needs a person.', 'a pool')), null),
  enabledBy: sentinel,
  everyMs: otherwise(duration('How often it is looked at.', anyPause), 120_000),
})

/** The `guard` section: budgets of directories, hot paths and workers, each under a name. */
export const guard = z.strictObject({
  budgets: entries('Directories with a budget.', budget),
  hotPaths: entries('Paths that work needs, and what is done when their mount is stale.', hotPath),
  workers: entries('Workers that are started again when they are down while jobs wait.', worker),
})
