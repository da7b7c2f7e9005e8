import { closeSync, existsSync, openSync } from 'node:fs'
import { causeOf } from './causes.ts'
import { StoreError } from './fault.ts'

/**
 * Creates an empty file that only its owner can read, unless there is one; SQLite gives its logs the same mode. An existing
 * file is not even opened: closing it would drop every lock that this process holds on it (POSIX).
 */
export function createPrivate(file: string): void {
  if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600))
}

/** The error in the words of the Store; `what` is the file that the sentence is about. */
export function faultOf(error: unknown, file: string): StoreError {
  if (error instanceof StoreError) return error
  const message = error instanceof Error ? error.message : String(error)
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const is = (...prefixes: string[]) => prefixes.some((prefix) => code === prefix || code.startsWith(`${prefix}_`))
  if (is('SQLITE_CORRUPT', 'SQLITE_NOTADB')) return damaged(file, message, error)
  if (is('SQLITE_BUSY', 'SQLITE_LOCKED')) {
    return new StoreError('locked', `another process holds ${file}`, { cause: error })
  }
  if (is('SQLITE_FULL', 'ENOSPC', 'EDQUOT')) {
    const hint = 'Free some space; what is pending is written then.'
    return new StoreError('full', `the disk of ${file} is full`, { cause: error, hint })
  }
  if (error instanceof SyntaxError) return damaged(file, message, error)
  if (
    is('SQLITE_IOERR', 'SQLITE_CANTOPEN', 'SQLITE_READONLY', 'SQLITE_PROTOCOL', 'SQLITE_NOMEM') ||
    /^E[A-Z]+$/.test(code)
  ) {
    return unreachable(file, causeOf(code), error)
  }
  return new StoreError('rejected', `the store does not take this: ${message}`, { cause: error })
}

/** The error of a file that cannot be opened, read or written. */
export function unreachable(file: string, why: string, cause: unknown): StoreError {
  const hint = 'Check that the data directory is mounted and writable.'
  return new StoreError('unavailable', `${file} cannot be reached (${why})`, { cause, hint })
}

/** The error of a file whose content is not what was written. */
export function damaged(file: string, what: string, cause?: unknown): StoreError {
  return new StoreError('corrupt', `${file} is damaged: ${what}`, {
    cause,
    hint: `It was left as it is. Put a backup in its place, or move it away to begin anew: mv ${file} ${file}.damaged`,
  })
}
