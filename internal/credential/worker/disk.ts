import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'

const maxBytes = 1024 * 1024

/** What a secret's file held when it was read; `stamp` changes when the file does. */
export interface FileContent {
  readonly text: string
  readonly stamp: string
  /** Permission bits, such as 0o600. */
  readonly mode: number
}

/** The content of a small regular file; refuses what is larger than 1 MiB or not a file. Blocks. */
export function readFile(path: string): FileContent {
  // O_NONBLOCK: opening a FIFO that nobody writes to must not wait.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const facts = fstatSync(fd, { bigint: true })
    if (!facts.isFile()) throw fault('EINVAL', `${path} is not a regular file`)
    if (facts.size > maxBytes) throw fault('EFBIG', `${path} is larger than 1 MiB`)
    const bytes = Buffer.alloc(maxBytes + 1)
    let length = 0
    for (let got = -1; got !== 0 && length <= maxBytes; length += got) {
      got = readSync(fd, bytes, length, bytes.length - length, length)
    }
    if (length > maxBytes) throw fault('EFBIG', `${path} is larger than 1 MiB`)
    return { text: bytes.toString('utf8', 0, length), stamp: stampOf(facts), mode: Number(facts.mode) & 0o7777 }
  } finally {
    closeSync(fd)
  }
}

/** A word that changes when the file is written or replaced; null when it cannot be seen. Blocks. */
export function stamp(path: string): string | null {
  try {
    return stampOf(statSync(path, { bigint: true }))
  } catch {
    return null
  }
}

/**
 * Creates a file of `bytes` zeros on the disk beside `path`, with its mode and owner, into which `replaceFile` will write,
 * so that a full disk or a missing right is found before anything depends on the write. Returns its path. Whoever calls it holds the lock
 * of the file. Blocks.
 */
export function reserveFile(path: string, bytes: number): string {
  const target = realpathSync(path)
  if (isMountPoint(target))
    throw fault('EBUSY', `${path} is mounted by itself and cannot be replaced: mount its folder`)
  // One name for all: whoever died before has left no more than one, and its lock is ours now.
  const spare = join(dirname(target), `.${basename(target)}.spillway-next`)
  dropFile(spare)
  const old = statSync(target)
  const fd = openSync(spare, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600)
  try {
    writeAll(fd, Buffer.alloc(bytes))
    const own = fstatSync(fd)
    if (own.uid !== old.uid || own.gid !== old.gid) fchownSync(fd, old.uid, old.gid)
    fchmodSync(fd, old.mode & 0o7777)
    fsyncSync(fd)
  } catch (error) {
    dropFile(spare)
    throw error
  } finally {
    closeSync(fd)
  }
  return spare
}

/**
 * Replaces the content of `path` atomically and durably through the file that `reserveFile`
 * made. Does nothing and returns null if the file no longer holds `before`; else returns the new stamp. Blocks.
 */
export function replaceFile(path: string, change: { spare: string; before: string; after: string }): string | null {
  const target = realpathSync(path)
  const fd = openSync(change.spare, constants.O_RDWR | constants.O_NOFOLLOW)
  try {
    const bytes = Buffer.from(change.after)
    writeAll(fd, bytes)
    ftruncateSync(fd, bytes.length)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  if (readFile(target).text !== change.before) {
    dropFile(change.spare)
    return null
  }
  renameSync(change.spare, target)
  syncDirectory(dirname(target))
  return stamp(target)
}

/** Removes a file; one that is not there is fine. Blocks. */
export function dropFile(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
}

/** Whether a file is a mount point of its own, as containers like them: renaming over it fails. */
function isMountPoint(path: string): boolean {
  try {
    // Linux: the fifth field is the mount point, with octal escapes (proc_pid_mountinfo(5)).
    const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
    const decoded = (text: string) =>
      text.replace(/\\(\d{3})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 8)))
    return lines.some((line) => decoded(line.split(' ')[4] ?? '') === path)
  } catch {
    return false
  }
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, done)
}

function syncDirectory(path: string): void {
  const fd = openSync(path, constants.O_RDONLY)
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function stampOf(facts: { mtimeNs: bigint; size: bigint; ino: bigint; ctimeNs: bigint }): string {
  return `${facts.ino}.${facts.size}.${facts.mtimeNs}.${facts.ctimeNs}`
}

function fault(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}
