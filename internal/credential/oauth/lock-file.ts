import { mkdirSync, realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type Lock, tryLock } from '../../store/lock.ts'

interface Target {
  readonly path: string
  /** The lock lies beside the file of that path: the same one for everybody who reaches the file, also through links. */
  readonly beside: boolean
}

const held = new Map<string, Lock>()

/** Tries once to take a lock for this thread; false: somebody has it. Throws a StoreError. Blocks shortly. */
export function lock(target: Target): boolean {
  const name = nameOf(target)
  if (held.has(name)) return false
  const taken = tryLock(fileOf(target))
  if (taken) held.set(name, taken)
  return taken !== null
}

/** Gives back a lock of this thread. Blocks shortly. */
export function unlock(target: Target): undefined {
  // By the name that was asked for: the file may have gone meanwhile.
  const name = nameOf(target)
  held.get(name)?.release()
  held.delete(name)
}

function nameOf({ path, beside }: Target): string {
  return `${beside} ${path}`
}

function fileOf({ path, beside }: Target): string {
  if (!beside) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    return path
  }
  const file = realpathSync(path)
  return join(dirname(file), `.${basename(file)}.spillway-lock`)
}
