import { existsSync } from 'node:fs'
import { createPrivate, faultOf } from './database-file.ts'
import { Sqlite } from './driver.ts'
import { fingerprintEntry } from './fingerprint.ts'

/**
 * Copies the database as it is at one moment, also while another process writes to it (SQLite's online backup). Throws a
 * StoreError. Not for a process that has the database open itself: closing a second handle drops its locks (POSIX).
 */
export async function copyDatabase(file: string, to: string): Promise<void> {
  try {
    createPrivate(to)
    const database = new Sqlite(file, { readonly: true, fileMustExist: true })
    try {
      await database.backup(to)
    } finally {
      database.close()
    }
  } catch (error) {
    throw faultOf(error, file)
  }
}

/** The fingerprint of the master key that a database keeps; null where it keeps none, or is not there. Same caution. */
export function keptFingerprint(file: string): string | null {
  if (!existsSync(file)) return null
  try {
    const database = new Sqlite(file, { readonly: true, fileMustExist: true })
    try {
      const kept = database.prepare('select value from meta where name = ?').pluck().get(fingerprintEntry)
      return typeof kept === 'string' ? kept : null
    } finally {
      database.close()
    }
  } catch (error) {
    throw faultOf(error, file)
  }
}
