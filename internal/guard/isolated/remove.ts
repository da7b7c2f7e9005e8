import { closeSync, constants, fstatSync, lstatSync, openSync, unlinkSync } from 'node:fs'
import { openForWriting } from './open-files.ts'
import type { Candidate } from './tally.ts'

export interface RemoveAsk {
  readonly path: string
  readonly files: readonly Candidate[]
  readonly now: number
}

export interface RemoveAnswer {
  readonly removed: readonly Candidate[]
  /** Left alone because somebody has them open for writing, or may have. */
  readonly open: number
  /** Left alone because they are others than those that were seen, or could not be deleted. */
  readonly changed: number
}

/** What cannot be seen of other users' processes is taken for open for so long after the last write. */
const unseenMs = 600_000

/**
 * Deletes these files below the folder, each only if it is still the one that was seen. Every step of the way is opened
 * without following a link and held while the next one is taken, so that nothing can be slipped in between look and
 * delete. Linux only, for its `/proc/self/fd`. Blocks.
 */
export function remove({ path, files, now }: RemoveAsk): RemoveAnswer {
  const root = openFolder(path)
  try {
    const { device } = folderFacts(root)
    const { inodes, isWhole } = openForWriting(new Set(files.map((file) => nameOf(file.path))), device)
    const removed: Candidate[] = []
    let open = 0
    let changed = 0
    for (const file of files) {
      if (inodes.has(file.inode) || (!isWhole && now - file.at < unseenMs)) open++
      else if (removeOne(root, device, file)) removed.push(file)
      else changed++
    }
    return { removed, open, changed }
  } finally {
    closeSync(root)
  }
}

function removeOne(root: number, device: number, file: Candidate): boolean {
  const parts = file.path.split('/')
  if (parts.some((part) => part === '' || part === '.' || part === '..')) return false
  const name = parts.pop() ?? ''
  const opened: number[] = []
  try {
    let folder = root
    for (const part of parts) {
      folder = openFolder(`/proc/self/fd/${folder}/${part}`)
      opened.push(folder)
      if (folderFacts(folder).device !== device) return false
    }
    const way = `/proc/self/fd/${folder}/${name}`
    const found = lstatSync(way)
    if (!found.isFile() || found.ino !== file.inode || found.mtimeMs !== file.at || found.dev !== device) return false
    unlinkSync(way)
    return true
  } catch {
    return false
  } finally {
    for (const fd of opened) closeSync(fd)
  }
}

/** Throws ELOOP or ENOTDIR for a link. */
function openFolder(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
}

function folderFacts(fd: number): { device: number } {
  return { device: fstatSync(fd).dev }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
