import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from '../pool/pool.ts'
import { removeFile, replaceFile, textOf } from './files.ts'
import type { Format } from './plan.ts'

/** What was done to one file, enough to take it back. */
export interface FileRecord {
  readonly path: string
  readonly format: Format
  /** What it held; null: there was none. */
  readonly before: string | null
  /** Digest of what was written. */
  readonly after: string
  /** The values that were set, as digests. */
  readonly values: readonly { readonly path: readonly [string, ...string[]]; readonly digest: string }[]
}

/** A client that is connected. */
export interface ConnectionRecord {
  readonly client: string
  readonly pool: string
  readonly files: readonly FileRecord[]
}

/** The file in which a connection is recorded: one for each client and place of its configuration. */
export function recordPath(data: string, client: string, folder: string): string {
  return join(folderIn(data), `${client}-${digestOf(folder).slice(0, 12)}.json`)
}

/** The record; null when there is none. */
export function readRecord(path: string): ConnectionRecord | null {
  const text = textOf(path)
  if (text === null) return null
  try {
    return JSON.parse(text)
  } catch {
    throw new Refusal('failed', `${path} cannot be read: it is no record of a connection`)
  }
}

/** Keeps the record durably, for its owner only. */
export function writeRecord(path: string, data: string, record: ConnectionRecord): void {
  mkdirSync(folderIn(data), { recursive: true, mode: 0o700 })
  replaceFile(path, textOf(path), `${JSON.stringify(record, null, 2)}\n`)
}

export const dropRecord = removeFile

/** The clients that are connected from this data directory. */
export function connectionsIn(data: string): string[] {
  try {
    const clients = readdirSync(folderIn(data)).flatMap((name) => /^(\w+)-[\da-f]{12}\.json$/.exec(name)?.[1] ?? [])
    return [...new Set(clients)].sort()
  } catch {
    return []
  }
}

/** A word that is the same only for the same value. */
export function digestOf(value: unknown): string {
  const text =
    typeof value === 'string'
      ? value
      : JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? Number(inner) : inner))
  return createHash('sha256')
    .update(text ?? '')
    .digest('hex')
}

function folderIn(data: string): string {
  return join(data, 'connections')
}
