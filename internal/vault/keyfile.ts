import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { VaultError } from './fault.ts'

/** The length of a master key: AES-256 and HKDF-SHA256 both take 32 bytes. */
export const keyBytes = 32

const others = 0o077

/**
 * Creates a key file of 32 random bytes that only its owner can read (0600), and returns the bytes. It appears whole or
 * not at all and is on the disk when this returns; throws a VaultError when there is one already. Blocks.
 */
export function createKeyFile(path: string): Uint8Array {
  const key = randomBytes(keyBytes)
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  try {
    writeDraft(draft, key)
    try {
      // A link fails where a rename would replace: a master key that is overwritten is lost for ever.
      linkSync(draft, path)
    } finally {
      unlinkSync(draft)
    }
    syncFolder(dirname(path))
  } catch (error) {
    throw notCreated(path, error)
  }
  return Uint8Array.from(key)
}

/** The 32 bytes of the key file; throws a VaultError that says what is wrong with it and what to do. Blocks. */
export function readKeyFile(path: string): Uint8Array {
  let fd: number
  try {
    // O_NONBLOCK: a FIFO in its place must not make the start wait.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    throw notRead(path, error)
  }
  try {
    const facts = fstatSync(fd)
    if (!facts.isFile()) throw new VaultError('unreadable', `the master key ${path} is not a regular file`, restore)
    refuseExposed(path, facts.mode)
    const bytes = Buffer.alloc(keyBytes + 1)
    const length = readSync(fd, bytes, 0, bytes.length, 0)
    if (length !== keyBytes) throw wrongLength(path, facts.size)
    return Uint8Array.from(bytes.subarray(0, keyBytes))
  } catch (error) {
    throw error instanceof VaultError ? error : notRead(path, error)
  } finally {
    closeSync(fd)
  }
}

/** Puts the key file `next` in the place of the other one, at once and on the disk when this returns. Blocks. */
export function replaceKeyFile(next: string, path: string): void {
  renameSync(next, path)
  syncFolder(dirname(path))
}

/** What is wrong with the key file, as `readKeyFile` would throw it; null when it can be used. For `doctor`. Blocks. */
export function checkKeyFile(path: string): VaultError | null {
  try {
    readKeyFile(path).fill(0)
    return null
  } catch (error) {
    if (error instanceof VaultError) return error
    throw error
  }
}

function writeDraft(draft: string, key: Uint8Array): void {
  const fd = openSync(draft, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)
  try {
    // The umask can take bits away from the mode given to open.
    fchmodSync(fd, 0o600)
    writeSync(fd, key)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Makes the new name itself durable; a directory cannot be opened for that on Windows. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  const fd = openSync(folder, constants.O_RDONLY)
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function refuseExposed(path: string, mode: number): void {
  // Windows has no such bits: what Node reports there says nothing about others.
  if (process.platform === 'win32' || (mode & others) === 0) return
  const octal = (mode & 0o777).toString(8).padStart(4, '0')
  throw new VaultError(
    'exposed',
    `the master key ${path} can be read or changed by other users (mode ${octal})`,
    `Run: chmod 600 ${path}. If others could have copied it, replace the credentials it protects.`,
  )
}

function wrongLength(path: string, size: number): VaultError {
  const message = `the master key ${path} has ${size} bytes instead of ${keyBytes}`
  return new VaultError('wrong-length', message, restore)
}

function notRead(path: string, error: unknown): VaultError {
  const code = codeOf(error)
  if (code === 'ENOENT') {
    const hint = 'Restore it from a backup. In a new data directory, run: spillway init'
    return new VaultError('missing', `there is no master key at ${path}`, hint)
  }
  if (code !== 'EACCES' && code !== 'EPERM') {
    return new VaultError('unreadable', `the master key ${path} cannot be read (${code})`, restore)
  }
  const hint = 'Run spillway as the user who owns the data directory.'
  return new VaultError('unreadable', `the master key ${path} may not be read by this user`, hint)
}

function notCreated(path: string, error: unknown): VaultError {
  const code = codeOf(error)
  if (code !== 'EEXIST') {
    const hint = 'Check that the directory exists, may be written, and has free space.'
    return new VaultError('unreadable', `the master key ${path} cannot be created (${code})`, hint)
  }
  const hint = 'It is kept: without it every stored secret is lost.'
  return new VaultError('exists', `there is already a master key at ${path}`, hint)
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}

const restore = 'Restore it from a backup: without it the stored secrets cannot be opened.'
