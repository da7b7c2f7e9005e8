/**
 * One sealed file for a whole installation: written under a passphrase, and laid out again as a data directory.
 * It knows files and bytes only; what belongs to an installation is said by the caller.
 */
import { randomBytes } from 'node:crypto'
import {
  accessSync,
  constants,
  createReadStream,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Refusal } from '../pool/pool.ts'
import { type Member, packed, unpack } from './archive.ts'
import { checkFormat, damaged, opened, sealed } from './envelope.ts'

/** Refuses a file that cannot be made, or is there already. */
export function checkTarget(to: string): void {
  if (existsSync(to)) throw exists(to)
  const folder = dirname(to)
  if (!existsSync(folder)) throw new Refusal('not-found', `the directory ${folder} does not exist`)
  if (!isWritable(folder)) throw closedFolder(folder)
}

/** Writes the files, sealed, to `to`, which must not exist: whole and on the disk, or not at all. Returns its size. */
export async function writeBackup(to: string, members: readonly Member[], passphrase: string): Promise<number> {
  checkTarget(to)
  const draft = `${to}.${randomBytes(4).toString('hex')}`
  try {
    const file = await open(draft, 'wx', 0o600)
    try {
      await file.chmod(0o600)
      for await (const chunk of sealed(passphrase, packed(members))) await file.writeFile(chunk)
      await file.sync()
    } finally {
      await file.close()
    }
    publish(draft, to)
    return statSync(to).size
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Gives the draft its name. A link fails where a rename would replace; some file systems have none. */
function publish(draft: string, to: string): void {
  try {
    linkSync(draft, to)
  } catch (error) {
    if (codeOf(error) === 'EEXIST' || existsSync(to)) throw exists(to)
    renameSync(draft, to)
  }
}

/**
 * Makes the data directory that the backup holds; refuses one that is there already. It appears whole or not at all.
 * `required`: the files without which it would be none.
 */
export async function restoreBackup(
  from: string,
  data: string,
  given: { passphrase(): Promise<string>; readonly required: readonly string[] },
): Promise<string[]> {
  checkSource(from)
  if (existsSync(data) && readdirSync(data).length > 0)
    throw new Refusal(
      'conflict',
      `${data} is a data directory already, and is not overwritten`,
      'name another one with --data, or move this one away',
    )
  const draft = `${data}.restoring-${randomBytes(4).toString('hex')}`
  mkdirSync(dirname(data), { recursive: true, mode: 0o700 })
  if (!isWritable(dirname(data))) throw closedFolder(dirname(data))
  const beginning = createReadStream(from, { end: 64 * 1024 })
  try {
    await checkFormat(beginning)
  } finally {
    beginning.destroy()
  }
  const passphrase = await given.passphrase()
  mkdirSync(draft, { mode: 0o700 })
  try {
    const names = await unpack(opened(passphrase, createReadStream(from)), draft)
    if (given.required.some((name) => !names.includes(name))) throw damaged()
    renameSync(draft, data)
    return names
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}

function checkSource(from: string): void {
  const found = statSync(from, { throwIfNoEntry: false })
  if (!found) throw new Refusal('not-found', `${from} does not exist`)
  if (!found.isFile()) throw new Refusal('invalid', `${from} is no file`)
  try {
    accessSync(from, constants.R_OK)
  } catch {
    throw new Refusal('failed', `${from} may not be read by this user`)
  }
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK)
    return true
  } catch {
    return false
  }
}

function closedFolder(folder: string): Refusal {
  return new Refusal('failed', `nothing can be written in ${folder} by this user`, 'name another place')
}

function exists(to: string): Refusal {
  return new Refusal('conflict', `${to} exists already, and is not overwritten`, 'name another file')
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
