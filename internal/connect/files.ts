import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { Refusal } from '../pool/pool.ts'

/** The text of a file; null when there is none. Refuses what is no text, because it could not be given back as it was. */
export function textOf(path: string): string | null {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw new Refusal('failed', `${path} cannot be read (${codeOf(error)})`)
  }
  const text = bytes.toString('utf8')
  if (Buffer.from(text).equals(bytes)) return text
  throw new Refusal('conflict', `${path} is not in UTF-8 and cannot be changed`)
}

/**
 * Puts the text in the place of the file at once and durably: who reads it sees the old or the new one. Mode, owner and
 * symbolic links stay; a new file is for its owner only. Refuses when the file no longer holds `before`.
 */
export function replaceFile(path: string, before: string | null, text: string): void {
  const target = behindLinks(path)
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 })
  const spare = join(dirname(target), `.spillway-${randomBytes(6).toString('hex')}`)
  try {
    write(spare, text, before === null ? null : target)
    if (textOf(target) !== before) throw new Refusal('try-later', `${path} was changed by somebody else just now`)
    renameSync(spare, target)
  } catch (error) {
    rmSync(spare, { force: true })
    if (error instanceof Refusal) throw error
    throw new Refusal('failed', `${path} cannot be written (${codeOf(error)})`)
  }
  syncFolder(dirname(target))
}

/** Removes the file, and no link that leads to it; one that is gone is fine. */
export function removeFile(path: string): void {
  rmSync(behindLinks(path), { force: true })
}

/** Whether other users may read the file. */
export function isOpenToOthers(path: string): boolean {
  return process.platform !== 'win32' && (statSync(path).mode & 0o044) !== 0
}

function write(path: string, text: string, like: string | null): void {
  const fd = openSync(path, 'wx', 0o600)
  try {
    if (like !== null) {
      const old = statSync(like)
      const own = fstatSync(fd)
      if (own.uid !== old.uid || own.gid !== old.gid) fchownSync(fd, old.uid, old.gid)
      fchmodSync(fd, old.mode & 0o7777)
    }
    writeFileSync(fd, text)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** The file itself; the one that a link without an end names, when there is none yet. */
function behindLinks(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    try {
      return resolve(dirname(path), readlinkSync(path))
    } catch {
      return path
    }
  }
}

/** Makes the rename durable; some file systems do not offer that for folders. */
function syncFolder(path: string): void {
  try {
    const fd = openSync(path, 'r')
    fsyncSync(fd)
    closeSync(fd)
  } catch {
    // Windows opens no folders.
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}
