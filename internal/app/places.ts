import { chmodSync, mkdirSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import envPaths from 'env-paths'

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
 * Throws the file system's error when it cannot be made.
 */
export function prepareDirectory(data: string): readonly string[] {
  mkdirSync(data, { recursive: true, mode: 0o700 })
  const mode = statSync(data).mode & 0o777
  if ((mode & 0o077) === 0 || process.platform === 'win32') return []
  chmodSync(data, 0o700)
  return [`${data} was open to other users (mode ${mode.toString(8)}); it is 700 now`]
}
