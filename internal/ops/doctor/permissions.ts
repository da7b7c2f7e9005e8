import type { FileFact } from '../../blocking/blocking.ts'
import type { Paths } from '../verb.ts'
import type { DoctorRow } from './row.ts'

/** A path that matters, and which permission bits of others are a danger there. */
export interface Ward {
  readonly path: string
  readonly check: string
  /** Bits that nobody but the owner may have, and how bad it is. */
  readonly forbidden: number
  readonly state: 'warn' | 'fail'
  /** The mode to set. */
  readonly mode: string
  /** Nothing is wrong when it does not exist. */
  readonly optional?: true
  /** The fingerprint of the key in it. */
  readonly fingerprint?: string
}

const others = 0o077
const othersWrite = 0o022

/**
 * Everything whose permissions are looked at: what belongs to the installation, and files that hold a secret.
 * `fingerprint` is the master key's.
 */
export function wards(
  paths: Paths,
  fingerprint: string,
  { credentials, settings }: { credentials: readonly string[]; settings: readonly { key: string; file: string }[] },
): Ward[] {
  const all: (Ward | null)[] = [
    { path: paths.data, check: 'data directory', forbidden: others, state: 'warn', mode: '700' },
    { path: paths.masterKey, check: 'master key', forbidden: others, state: 'fail', mode: '600', fingerprint },
    paths.database === null
      ? null
      : { path: paths.database, check: 'database', forbidden: others, state: 'warn', mode: '600' },
    // It holds references only, so that others may read it; whoever can write it can redirect everything.
    paths.config === null
      ? null
      : {
          path: paths.config,
          check: 'configuration file',
          forbidden: othersWrite,
          state: 'fail',
          mode: '644',
          optional: true,
        },
    ...settings.map(
      ({ key, file }): Ward => ({ path: file, check: key, forbidden: others, state: 'warn', mode: '600' }),
    ),
    ...[...new Set(credentials)].map(
      (path): Ward => ({ path, check: 'credential file', forbidden: others, state: 'warn', mode: '600' }),
    ),
  ]
  return all.filter((ward) => ward !== null)
}

/** What the look at a path found, as a row. */
export function warded(ward: Ward, fact: FileFact | undefined): DoctorRow {
  const { check, path, fingerprint } = ward
  if (!fact || 'problem' in fact) {
    const problem = fact?.problem ?? 'unreadable'
    if (problem === 'missing' && ward.optional)
      return { check, state: 'ok', message: `there is no ${path}`, hint: null }
    const message = problem === 'hung' ? `${path} does not answer` : `${path} is ${problem}`
    return { check, state: 'fail', message, hint: hintFor(problem, fingerprint) }
  }
  const open = fact.mode & ward.forbidden
  const mode = `${path} (mode ${fact.mode.toString(8).padStart(3, '0')})`
  const message = fingerprint === undefined ? mode : `${mode}, fingerprint ${fingerprint}`
  if (open === 0) return { check, state: 'ok', message, hint: null }
  return { check, state: ward.state, message: `${mode} is open to others`, hint: `chmod ${ward.mode} ${path}` }
}

function hintFor(problem: string, fingerprint: string | undefined): string | null {
  if (problem === 'hung') return 'its file system hangs'
  return fingerprint === undefined ? null : `put back the key file with the fingerprint ${fingerprint}`
}
