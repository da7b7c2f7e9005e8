import { lstatSync, opendirSync, type Stats, statSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { matcher } from './glob.ts'
import { type Marks, Tally, type Totals } from './tally.ts'

/** A directory to be walked, and which of its files count. */
export interface WalkAsk {
  /** Names the walk; the same again goes on where it was. */
  readonly key: string
  readonly path: string
  readonly match: string
  readonly marks: Marks
  /** How long to walk before answering. */
  readonly sliceMs: number
  /** Begins anew even if a walk of this name is under way. */
  readonly anew: boolean
}

export interface WalkAnswer {
  readonly done: boolean
  readonly totals: Totals
  /** Directories that could not be read; what is in them is not counted. */
  readonly unread: number
  /** How long the walk has taken so far, without its pauses. */
  readonly tookMs: number
}

interface Walk {
  readonly tally: Tally
  readonly steps: Generator<void>
  unread: number
  tookMs: number
}

/** How many files are looked at between two glances at the clock. */
const stride = 128
const walks = new Map<string, Walk>()

/**
 * Walks the directory for a while, and answers with what was seen so far; files only, never through a symbolic link and
 * never onto another file system. Throws the system's error when the directory itself cannot be read. Blocks.
 */
export function walk({ key, path, match, marks, sliceMs, anew }: WalkAsk): WalkAnswer {
  const begun = performance.now()
  const end = begun + sliceMs
  let current = anew ? undefined : walks.get(key)
  if (!current) {
    current = begin(path, match, marks)
    walks.set(key, current)
  }
  try {
    let done = false
    while (!done && performance.now() < end) done = current.steps.next().done === true
    if (done) walks.delete(key)
    current.tookMs += performance.now() - begun
    return { done, totals: current.tally.totals, unread: current.unread, tookMs: current.tookMs }
  } catch (error) {
    walks.delete(key)
    throw error
  }
}

function begin(path: string, match: string, marks: Marks): Walk {
  const tally = new Tally(marks)
  // The path itself may be a link; below it none is followed.
  const device = statSync(path).dev
  const walk: Walk = { tally, unread: 0, tookMs: 0, steps: steps() }
  const matches = matcher(match)

  function* steps(): Generator<void> {
    const folders = ['']
    let looked = 0
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      const { files, below, unread } = listed(path, folder, device)
      if (unread) walk.unread++
      folders.push(...below)
      for (const file of files) {
        if (++looked % stride === 0) yield
        if (!matches(file)) continue
        const facts = facing(`${path}/${file}`)
        if (facts?.isFile()) tally.add({ path: file, bytes: facts.size, at: facts.mtimeMs, inode: facts.ino })
      }
      yield
    }
  }
  return walk
}

/** What is in a folder: its files and the folders below, as paths from the root of the walk. */
function listed(
  root: string,
  folder: string,
  device: number,
): { files: readonly string[]; below: readonly string[]; unread: boolean } {
  const files: string[] = []
  const below: string[] = []
  const whole = folder === '' ? root : `${root}/${folder}`
  try {
    if (folder !== '' && facing(whole)?.dev !== device) return { files, below, unread: false }
    const opened = opendirSync(whole, { bufferSize: 1024 })
    try {
      for (let entry = opened.readSync(); entry; entry = opened.readSync()) {
        const path = folder === '' ? entry.name : `${folder}/${entry.name}`
        if (entry.isDirectory()) below.push(path)
        else if (entry.isFile()) files.push(path)
      }
    } finally {
      opened.closeSync()
    }
    return { files, below, unread: false }
  } catch (error) {
    if (folder === '') throw error
    return { files, below, unread: true }
  }
}

/** What stands at a path, without following a link; undefined when it is gone meanwhile. */
function facing(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}
