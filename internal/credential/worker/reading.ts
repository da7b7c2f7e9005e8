import { BlockingFailed } from '../../blocking/blocking.ts'

/** One sentence about a file that could not be read, with what the system said. */
export function readingFailed(path: string, error: unknown): string {
  if (error instanceof BlockingFailed && error.code === 'ENOENT') return `${path} does not exist`
  if (error instanceof BlockingFailed && error.code === 'EACCES') return `${path} may not be read by this user`
  if (error instanceof BlockingFailed && error.code === 'EHUNG') return `${path} does not answer`
  // Our own findings: it is no file, or far too large.
  if (error instanceof BlockingFailed && (error.code === 'EINVAL' || error.code === 'EFBIG')) return error.message
  return `${path} could not be read${error instanceof BlockingFailed && error.code ? ` (${error.code})` : ''}`
}

/** A sentence about a secret's file that others than its owner may open; null when nobody else may. */
export function modeWarning(path: string, mode: number): string | null {
  return mode & 0o077 ? `${path} can be opened by others (mode 0${(mode & 0o777).toString(8)}): chmod 600 it` : null
}
