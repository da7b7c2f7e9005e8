import { closeSync, constants, mkdirSync, openSync, statfsSync, statSync, unlinkSync } from 'node:fs'
import { dirname } from 'node:path'

/** When the file was written last; null when there is none. Throws the system's error when it cannot be told. Blocks. */
export function look(path: string): { readonly at: number } | null {
  const found = statSync(path, { throwIfNoEntry: false })
  return found ? { at: found.mtimeMs } : null
}

/** How large the file system at the path is and what is free of it, in bytes. Blocks. */
export function space(path: string): { readonly freeBytes: number; readonly totalBytes: number } {
  const { bavail, blocks, bsize } = statfsSync(path)
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
}

/** Makes an empty file, and its folder; false: it is there already. Blocks. */
export function createFile(path: string): boolean {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  try {
    closeSync(openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o644))
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

/** Removes a file; false: it is not there. Blocks. */
export function removeFile(path: string): boolean {
  try {
    unlinkSync(path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
}
