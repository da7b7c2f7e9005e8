import { EditError } from '../edit/edit.ts'
import { Refusal } from '../pool/pool.ts'
import type { Client } from './clients.ts'
import type { FileChange } from './diff.ts'
import { isOpenToOthers, removeFile, replaceFile, textOf } from './files.ts'
import { editors, type FilePlan, type Pointer, type World } from './plan.ts'
import { connectionsIn, digestOf, dropRecord, type FileRecord, readRecord, recordPath, writeRecord } from './record.ts'
import { restored } from './restore.ts'

export { connectionsIn }

/** What connecting a client did, or would do. */
export interface Connected {
  /** The pool that it was connected to before; null for none. */
  readonly from: string | null
  /** All of its files, with those that are as they should be. */
  readonly files: readonly FileChange[]
  /** Files that others may read and that hold the client key now. */
  readonly open: readonly string[]
}

/** Where a connection is made and recorded. */
export interface Site {
  readonly world: World
  /** The data directory. */
  readonly data: string
  /** Only says what would be done. */
  readonly dryRun: boolean
}

interface Step {
  readonly plan: FilePlan
  readonly now: string | null
  /** What is to be given back one day. */
  readonly before: string | null
  readonly after: string
}

/** Writes into the client's own files what points it at the pool. Refuses, before anything is written, what cannot be done. */
export function connect(client: Client, pointer: Pointer, { world, data, dryRun }: Site): Connected {
  const plans = client.plan(pointer, world)
  const place = recordPath(data, client.name, client.folder(world))
  const record = readRecord(place)
  const steps = plans.map((plan) =>
    step(
      plan,
      record?.files.find(({ path }) => path === plan.path),
    ),
  )
  const files = steps.map(({ plan, now, after }) => ({ path: plan.path, before: now, after }))
  const isChanged = files.some(({ before, after }) => before !== after)
  if (isChanged && !dryRun) {
    // First the record: whatever is written of the files afterwards can be taken back.
    writeRecord(place, data, { client: client.name, pool: pointer.pool, files: steps.map(recordOf) })
    for (const { path, before, after } of files) if (before !== after) replaceFile(path, before, after)
  }
  const holdKey = files.filter(({ after }) => after.includes(pointer.key))
  const open = dryRun ? [] : holdKey.flatMap(({ path }) => (isOpenToOthers(path) ? [path] : []))
  return { from: record?.pool ?? null, files, open }
}

function step(plan: FilePlan, old: FileRecord | undefined): Step {
  const now = textOf(plan.path)
  const { edit } = editors[plan.format]
  return inFile(plan.path, () => {
    const before = old ? restored(old, now).text : now
    const asIs = edit(now ?? '', plan.changes)
    // What a person has moved within the file since stays where it is.
    const isSame = old !== undefined && sameValues(old, plan)
    return { plan, now, before, after: isSame ? asIs : edit(before ?? '', plan.changes) }
  })
}

/** The result, or a Refusal that names the file for what cannot be read or changed in it. */
function inFile<R>(path: string, make: () => R): R {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof EditError)) throw error
    throw new Refusal('conflict', `${path}: ${error.message}`, 'mend the file first; nothing was changed')
  }
}

function sameValues({ values }: FileRecord, { changes }: FilePlan): boolean {
  return digestOf(values.map(({ path }) => path)) === digestOf(changes.map(({ path }) => path))
}

function recordOf({ plan: { path, format, changes }, before, after }: Step): FileRecord {
  const values = changes.map((change) => ({
    path: change.path,
    digest: digestOf(editors[format].at(after, change.path)),
  }))
  return { path, format, before, after: digestOf(after), values }
}

/** What taking a connection back did, or would do. */
export interface Disconnected {
  /** null: the client was not connected. */
  readonly pool: string | null
  readonly files: readonly (FileChange & {
    /** Whether it is, byte for byte, as it was; else a person has changed it since and only our values went. */
    readonly isExact: boolean
  })[]
}

/** Takes back what `connect` wrote: the whole file where it has not changed since, else only the values that are still ours. */
export function disconnect(client: Client, { world, data, dryRun }: Site): Disconnected {
  const place = recordPath(data, client.name, client.folder(world))
  const record = readRecord(place)
  if (!record) return { pool: null, files: [] }
  const files = record.files.map((each) => {
    const before = textOf(each.path)
    const { text, isExact } = inFile(each.path, () => restored(each, before))
    return { path: each.path, before, after: text, isExact }
  })
  if (!dryRun) {
    for (const { path, before, after } of files) {
      if (before === after) continue
      if (after === null) removeFile(path)
      else replaceFile(path, before, after)
    }
    dropRecord(place)
  }
  return { pool: record.pool, files }
}
