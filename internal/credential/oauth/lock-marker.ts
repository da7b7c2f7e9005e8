import { mkdirSync, rmdirSync, statSync, utimesSync } from 'node:fs'

/**
 * Takes the lock directory that proper-lockfile would take; false: somebody holds it. One that was not touched for
 * `staleMs` belongs to a dead process and is taken over. Blocks.
 */
export function mark(path: string, staleMs: number): boolean {
  if (made(path)) return true
  try {
    // The file system's clock wrote the time, and the system's reads it: no Clock port between them.
    if (ageOf(path) < staleMs) return false
    rmdirSync(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
  return made(path)
}

/** Shows that the holder of the lock directory lives. Blocks. */
export function touch(path: string): undefined {
  const now = new Date()
  utimesSync(path, now, now)
}

/** Gives the lock directory back; one that is not there is fine. Blocks. */
export function unmark(path: string): undefined {
  try {
    rmdirSync(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}

function made(path: string): boolean {
  try {
    mkdirSync(path)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

function ageOf(path: string): number {
  return Date.now() - statSync(path).mtimeMs
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : null
}
