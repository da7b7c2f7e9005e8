import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../internal/clock/clock.ts'
import { Sqlite } from '../../internal/store/driver.ts'
import { openSqliteStore, type Store, type StoreKey } from '../../internal/store/store.ts'
import type { Database } from './bench.ts'

/** A SQLite database in a folder of its own. */
export interface SqliteDatabase extends Database {
  readonly folder: string
  readonly file: string
}

/** The audit key of one of several signers, who share a master key. */
export function auditKeyOf(signer: number): Uint8Array {
  return new Uint8Array(32).fill(signer)
}

/** What a store is opened with on behalf of one of several signers. */
export function keyOf(signer: number): StoreKey {
  return { keyId: '0123456789abcdef', auditKey: auditKeyOf(signer) }
}

/** Makes a new folder; the file in it is created by the first `open`. */
export function sqliteDatabase(parent = tmpdir()): SqliteDatabase {
  const folder = mkdtempSync(join(parent, 'spillway-store-'))
  const file = join(folder, 'spillway.db')
  return {
    folder,
    file,
    open: (signer = 1) => openOn(file, signer),
    tamper(statements) {
      const beside = new Sqlite(file)
      beside.exec(statements)
      beside.close()
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function openOn(file: string, signer: number): Promise<Store> {
  // Deadlines are about real I/O and so run on real time; they are long because machines that run tests are busy.
  const clock = systemClock()
  return openSqliteStore({ file, key: keyOf(signer), clock, deadlineMs: 15_000, program: '0.1.0' })
}
