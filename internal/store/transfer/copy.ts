import { sql } from 'kysely'
import type { Table } from '../column.ts'
import { StoreError } from '../fault.ts'
import { copyEntry, fingerprintEntry } from '../fingerprint.ts'
import { reading } from '../sql.ts'
import { type Connection, Statements } from '../statements.ts'
import { all, anchors, heads, meta } from '../tables.ts'
import { chunksOf, putRows, type Sum, sumOf } from './rows.ts'

/** One end of a copy: a database with the newest schema and the same master key as the other end. */
export interface End {
  readonly db: Connection
  readonly label: string
}

/** What a copy did with a table. */
export interface CopiedTable extends Sum {
  readonly table: string
  /** False: it was there already. */
  readonly written: boolean
}

/** Tables that a new store has rows in. */
const begun: readonly string[] = [meta.name, heads.name, anchors.name]

/**
 * Copies everything from one store to the other, as it is at one moment, and compares each table by count and digest. A copy
 * that was cut off is started again and goes on. Throws a StoreError, and writes nothing, when the other one holds a store.
 */
export async function copyStore(
  from: End,
  to: End,
  progress: (table: string, rows: number) => void = () => {},
): Promise<readonly CopiedTable[]> {
  return reading(from.db, async (source) => {
    if (!(await mark(source, from, to))) return compared(source, to.db, 'refuse', to.label)
    const done: CopiedTable[] = []
    for (const table of all) {
      const sum = await sumOf(source, table)
      const written = !same(sum, await sumOf(to.db, table))
      if (written) await copyTable(source, to.db, { table, progress })
      done.push({ table: table.name, ...sum, written })
    }
    await compared(source, to.db, 'fail', to.label)
    await new Statements(to.db).remove(to.db, meta, { name: copyEntry })
    return done
  })
}

/** Marks the other end as incomplete; false when it holds rows that are not of a copy that was cut off. */
async function mark(source: Connection, from: End, { db, label }: End): Promise<boolean> {
  const statements = new Statements(db)
  const [copied] = await statements.find(db, meta, { name: copyEntry })
  if (copied) {
    if (copied.value === from.label) return true
    throw new StoreError('unfinished', `${label} is being copied into from ${copied.value}, not from ${from.label}`)
  }
  for (const table of all) {
    const { rows } = await sql`select 1 from ${sql.table(table.name)} limit 2`.execute(db)
    if (rows.length > (begun.includes(table.name) ? 1 : 0)) return false
  }
  const { rows: notes } = await sql`select 1 from meta where name <> ${fingerprintEntry}`.execute(db)
  if (notes.length > 0) return false
  const [key] = await new Statements(source).find(source, meta, { name: fingerprintEntry })
  if (!key) throw new StoreError('corrupt', `${from.label} is no store`)
  await statements.put(db, meta, { name: copyEntry, value: from.label })
  return true
}

async function copyTable(
  source: Connection,
  db: Connection,
  { table, progress }: { table: Table<object>; progress: (table: string, rows: number) => void },
): Promise<void> {
  let rows = 0
  for await (const chunk of chunksOf(source, table)) {
    await db.transaction().execute((on) => putRows(on, table, chunk))
    rows += chunk.length
    progress(table.name, rows)
  }
  if ((await sumOf(db, table)).rows === rows) return
  // The source lost rows between two attempts: what is left of the first one goes.
  await sql`delete from ${sql.table(table.name)} where ${table.name === meta.name ? sql`name <> ${copyEntry}` : sql`1 = 1`}`.execute(
    db,
  )
  for await (const chunk of chunksOf(source, table)) await db.transaction().execute((on) => putRows(on, table, chunk))
}

/** All tables of both ends side by side; throws at the first that differs. */
async function compared(
  source: Connection,
  db: Connection,
  differing: 'refuse' | 'fail',
  label: string,
): Promise<readonly CopiedTable[]> {
  const sums: CopiedTable[] = []
  for (const table of all) {
    const sum = await sumOf(source, table)
    if (!same(sum, await sumOf(db, table))) throw differs(table.name, differing, label)
    sums.push({ table: table.name, ...sum, written: false })
  }
  return sums
}

function differs(table: string, differing: 'refuse' | 'fail', label: string): StoreError {
  if (differing === 'refuse') {
    const hint = 'Nothing was written. Give an empty database.'
    return new StoreError('rejected', `${label} holds another store already (${table} differs)`, { hint })
  }
  const hint = 'It is marked as incomplete and nothing uses it. Start the copy again.'
  return new StoreError('unavailable', `${label} has other rows than the source in ${table}`, { hint })
}

function same(one: Sum, other: Sum): boolean {
  return one.rows === other.rows && one.digest === other.digest
}
