import { applyPatch, structuredPatch } from 'diff'
import type { Change, Path, Value } from '../edit/edit.ts'
import { editors } from './plan.ts'
import { digestOf, type FileRecord } from './record.ts'

/** A file as it should be without us, and whether that is exactly what it was. */
interface Restored {
  readonly text: string | null
  readonly isExact: boolean
}

/**
 * What the file holds without what was written: as it was, when nobody has changed it since; else as it is now, with our
 * change undone line by line, or, where lines of it were touched, with each value that is still ours as it was before. A file
 * that held nothing else is none.
 */
export function restored(record: FileRecord, now: string | null): Restored {
  const { before } = record
  if (now === null || now === before) return { text: now, isExact: now === before }
  if (digestOf(now) === record.after) return { text: before, isExact: true }
  const { at } = editors[record.format]
  const ours = record.values.filter(({ path, digest }) => digestOf(at(now, path)) === digest)
  const text = undoneByLines(record, ours, now) ?? undoneByValues(record, ours, now)
  return { text: before === null && isEmpty(text) ? null : text, isExact: false }
}

type Values = FileRecord['values']

/** Our change turned round and applied to the text as it is; null where others have changed the same lines. */
function undoneByLines({ format, before, after, values }: FileRecord, ours: Values, now: string): string | null {
  // A patch says of the last line end of a text only whether it is there, not whose it is.
  if (ours.length < values.length || !/(?:^|\n)$/.test(before ?? '')) return null
  const { edit, at } = editors[format]
  // What we wrote is kept as a digest only; while all of our values stand, it can be written again.
  const written = edit(
    before ?? '',
    ours.map(({ path }): Change => ({ path, value: at(now, path) as Value })),
  )
  if (digestOf(written) !== after) return null
  const undone = applyPatch(now, structuredPatch('', '', written, before ?? '', '', '', { context: 1 }), {
    autoConvertLineEndings: false,
  })
  return undone === false ? null : undone
}

function undoneByValues(record: FileRecord, ours: Values, now: string): string {
  const { edit, at } = editors[record.format]
  const back = ours.map(({ path }): Change => ({ path, value: at(record.before ?? '', path) as Value | undefined }))
  const text = edit(now, back)
  return edit(
    text,
    ours.flatMap(({ path }) => emptied(record, path, text)),
  )
}

/** What the objects around a value were before, where they are empty without it: nothing, or what had to give way to them. */
function emptied({ format, before }: FileRecord, path: Path, text: string): Change[] {
  if (format !== 'json') return []
  const { at } = editors[format]
  for (let length = 1; length < path.length; length++) {
    const [first, ...rest] = path.slice(0, length)
    const outer: Path = [first ?? path[0], ...rest]
    const was = at(before ?? '', outer)
    if (!isObject(was) && isHollow(at(text, outer))) return [{ path: outer, value: was as Value | undefined }]
  }
  return []
}

/** Whether it is an object in which there are only objects, and no values. */
function isHollow(value: unknown): boolean {
  return isObject(value) && Object.values(value).every(isHollow)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isEmpty(text: string): boolean {
  return /^\s*(?:\{\s*\}\s*)?$/.test(text)
}
