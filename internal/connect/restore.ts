import type { Change, Path, Value } from '../edit/edit.ts'
import { editors } from './plan.ts'
import { digestOf, type FileRecord } from './record.ts'

/** A file as it should be without us, and whether that is exactly what it was. */
interface Restored {
  readonly text: string | null
  readonly isExact: boolean
}

/**
 * What the file holds without what was written: as it was, when nobody has changed it since; else as it is now, with each
 * value that is still ours as it was before. A file that held nothing else is none.
 */
export function restored(record: FileRecord, now: string | null): Restored {
  const { before } = record
  if (now === null || now === before) return { text: now, isExact: now === before }
  if (digestOf(now) === record.after) return { text: before, isExact: true }
  const { edit, at } = editors[record.format]
  const ours = record.values.filter(({ path, digest }) => digestOf(at(now, path)) === digest)
  const back = ours.map(({ path }): Change => ({ path, value: at(before ?? '', path) as Value | undefined }))
  const text = edit(
    edit(now, back),
    ours.flatMap(({ path }) => emptied(record, path, edit(now, back))),
  )
  return { text: before === null && isEmpty(text) ? null : text, isExact: false }
}

/** The objects around a value that are empty without it and were not there before. */
function emptied({ format, before }: FileRecord, path: Path, text: string): Change[] {
  if (format !== 'json') return []
  const { at } = editors[format]
  for (let length = 1; length < path.length; length++) {
    const [first, ...rest] = path.slice(0, length)
    const outer: Path = [first ?? path[0], ...rest]
    const isGone = at(before ?? '', outer) === undefined && isHollow(at(text, outer))
    if (isGone) return [{ path: outer, value: undefined }]
  }
  return []
}

/** Whether it is an object in which there are only objects, and no values. */
function isHollow(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(isHollow)
}

function isEmpty(text: string): boolean {
  return /^\s*(?:\{\s*\}\s*)?$/.test(text)
}
