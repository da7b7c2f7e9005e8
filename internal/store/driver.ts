import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type BetterSqlite3 from 'better-sqlite3'
import { refusalOf, sqliteFor } from '#supported'
import { StoreError } from './fault.ts'

/** An open SQLite database. */
export type Connection = BetterSqlite3.Database
export type Statement = BetterSqlite3.Statement

const require = createRequire(import.meta.url)

/**
 * The better-sqlite3 that this Node can load. Nothing else may import that package: the wrong one does not throw, it ends
 * the process, so it is chosen before any of it is loaded.
 */
export const Sqlite: typeof BetterSqlite3 = load()

function load(): typeof BetterSqlite3 {
  const version = sqliteFor(process.versions)
  if (version === 13) return require('better-sqlite3')
  if (version === null) throw new StoreError('unavailable', refusalOf(process.versions) ?? '')
  try {
    return require('#better-sqlite3-12')
  } catch (cause) {
    const install = join(dirname(require.resolve('#better-sqlite3-12')), '..', 'install.mjs')
    throw new StoreError('unavailable', 'the better-sqlite3 that Node 20 needs is not installed', {
      cause,
      hint: `Install it: node ${install}`,
    })
  }
}
