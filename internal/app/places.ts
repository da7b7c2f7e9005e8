import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import envPaths from 'env-paths'
import { Refusal } from '../pool/refusal.ts'

/** Where one installation lives; all paths are absolute. */
export interface Places {
  readonly data: string
  readonly masterKey: string
  /** The configuration file that is read when it exists; with `explicit` it must. */
  readonly config: string
  readonly explicit: boolean
}

/** The places that flags and environment name: `--data`, `$SPILLWAY_DATA`, else the platform's data folder. */
export function placesOf(
  where: { data: string | null; config: string | null },
  env: Readonly<Record<string, string | undefined>>,
): Places {
  const home = env.HOME ?? homedir()
  const named = where.data ?? (env.SPILLWAY_DATA || null)
  const data = resolve(named === null ? envPaths('spillway', { suffix: '' }).data : named.replace(/^~(?=\/)/, home))
  const config = where.config ?? join(data, 'spillway.yaml')
  return { data, masterKey: join(data, 'master.key'), config, explicit: where.config !== null }
}

/**
 * Creates the data directory (0700), or takes the permissions of others from it; returns what was mended, as warnings.
 * Refuses, with the reason, when it cannot be made.
 */
export function prepareDirectory(data: string): readonly string[] {
  try {
    makeDirectory(data)
  } catch (error) {
    throw notMade(data, error)
  }
  const mode = statSync(data).mode & 0o777
  if ((mode & 0o077) === 0 || process.platform === 'win32') return []
  try {
    chmodSync(data, 0o700)
  } catch {
    throw new Refusal(
      'failed',
      `${data} belongs to another user, and is open to others (mode ${mode.toString(8)})`,
      asOwner,
    )
  }
  return [`${data} was open to other users (mode ${mode.toString(8)}); it is 700 now`]
}

/** Step by step: where a file system lets nobody make a directory, such as /proc, node's own recursion never ends. */
function makeDirectory(path: string): void {
  if (existsSync(path)) {
    if (!statSync(path).isDirectory()) throw new Error('it is a file')
    return
  }
  makeDirectory(dirname(path))
  mkdirSync(path, { mode: 0o700 })
}

const asOwner = 'run it as the user to whom the directory belongs; --data DIR or SPILLWAY_DATA names another one'

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'its file system is read-only',
  ENOSPC: 'its file system is full',
  ENOENT: 'its file system takes no directories',
  ENOTDIR: 'a part of its path is a file',
}

function notMade(data: string, error: unknown): Refusal {
  const { code = '', message } = error as NodeJS.ErrnoException
  const hint = '--data DIR or SPILLWAY_DATA names another directory'
  return new Refusal('failed', `${data} cannot be the data directory: ${reasons[code] ?? message}`, hint)
}

/** Whether an installation has been set up in the data directory; refuses to guess about one that may not be looked into. */
export function isSetUp({ data, masterKey }: Places): boolean {
  return [masterKey, join(data, 'lock.db')].some((path) => {
    try {
      return statSync(path, { throwIfNoEntry: false }) !== undefined
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException
      if (code === 'ENOTDIR') return false
      throw new Refusal('failed', `${data} cannot be looked into: ${reasons[code] ?? message}`, asOwner)
    }
  })
}

/** The refusal to look at what was never set up; nothing is made by looking. */
export function notSetUp(
  { data }: Places,
  where: { data: string | null },
  env: Readonly<Record<string, string | undefined>>,
): Refusal {
  const from = where.data !== null ? '--data' : env.SPILLWAY_DATA ? 'SPILLWAY_DATA' : "the platform's data folder"
  const hint = 'spillway serve sets it up and runs the proxy; --data DIR or SPILLWAY_DATA names another directory'
  return new Refusal('not-found', `nothing is set up in ${data} (${from})`, hint)
}
