import { createHash } from 'node:crypto'
import { type RawBuilder, sql } from 'kysely'
import type { Cell, Table } from '../column.ts'
import { copyEntry } from '../fingerprint.ts'
import type { Connection, Row } from '../statements.ts'

/** How many rows of a table there are, and a digest of them all in the order of its key. */
export interface Sum {
  readonly rows: number
  /** SHA-256, in hexadecimal. */
  readonly digest: string
}

const chunkRows = 1_000

/** The rows of a table as they are stored, a thousand at a time, in the order of its key. */
export async function* chunksOf(on: Connection, table: Table<object>): AsyncGenerator<readonly Row[]> {
  const columns = sql.join(table.columns.map(({ column }) => sql.ref(column.name)))
  const key = sql.join(table.key.map((column) => sql.ref(column)))
  // What marks a copy as unfinished is no part of what is copied.
  const mark = table.name === 'meta' ? sql`name <> ${copyEntry}` : sql`1 = 1`
  for (let last: readonly Cell[] | null = null; ; ) {
    const beyond: RawBuilder<unknown> = last === null ? sql`` : sql`and (${key}) > (${sql.join(last)})`
    const query: RawBuilder<Row> = sql`select ${columns} from ${sql.table(table.name)}
      where ${mark} ${beyond} order by ${key} limit ${chunkRows}`
    const rows: readonly Row[] = (await query.execute(on)).rows
    const end = rows.at(-1)
    if (!end) return
    yield rows
    last = table.key.map((column) => end[column] ?? null)
  }
}

/** What a table comes to. */
export async function sumOf(on: Connection, table: Table<object>): Promise<Sum> {
  const hash = createHash('sha256')
  let rows = 0
  for await (const chunk of chunksOf(on, table)) {
    rows += chunk.length
    for (const row of chunk)
      hash.update(`${JSON.stringify(table.columns.map(({ column }) => row[column.name] ?? null))}\n`)
  }
  return { rows, digest: hash.digest('hex') }
}

/** Writes rows as they are over those of the same key. */
export async function putRows(on: Connection, table: Table<object>, rows: readonly Row[]): Promise<void> {
  const names = table.columns.map(({ column }) => column.name)
  const changes = names
    .filter((name) => !table.key.includes(name))
    .map((name) => sql`${sql.ref(name)} = ${sql.ref(`excluded.${name}`)}`)
  const columns = sql.join(names.map((name) => sql.ref(name)))
  const key = sql.join(table.key.map((name) => sql.ref(name)))
  // Both kinds of database bound how many parameters a statement has.
  const most = Math.floor(30_000 / names.length)
  for (let from = 0; from < rows.length; from += most) {
    const values = rows
      .slice(from, from + most)
      .map((row) => sql`(${sql.join(names.map((name) => row[name] ?? null))})`)
    await sql`insert into ${sql.table(table.name)} (${columns}) values ${sql.join(values)}
      on conflict (${key}) do update set ${sql.join(changes)}`.execute(on)
  }
}
