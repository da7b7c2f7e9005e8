import { type CompiledQuery, type Kysely, type RawBuilder, sql } from 'kysely'
import { type Cell, decode, encode, type Table } from './column.ts'

/** A row as the database gives it. */
export type Row = Readonly<Record<string, Cell>>

/** A connection: the database itself, or a transaction on it. */
export type Connection = Kysely<unknown>

/**
 * The statements that are the same for every table, compiled once: building a query costs more than running it, and a
 * commit runs several.
 */
export class Statements {
  readonly #db: Connection
  readonly #compiled = new Map<string, CompiledQuery<Row>>()

  constructor(db: Connection) {
    this.#db = db
  }

  /** Writes the record over the row of the same key. */
  async put<R extends object>(on: Connection, table: Table<R>, record: R): Promise<void> {
    const query = this.#once(`put ${table.name}`, () => upsert(table))
    await on.executeQuery({ ...query, parameters: encode(table, record) })
  }

  /** Removes the rows that have these values. */
  async remove<R extends object>(on: Connection, table: Table<R>, where: Row): Promise<void> {
    const columns = Object.keys(where)
    const query = this.#once(
      `remove ${table.name} ${columns}`,
      () => sql<Row>`delete from ${sql.table(table.name)} where ${equal(columns)}`,
    )
    await on.executeQuery({ ...query, parameters: Object.values(where) })
  }

  /** The records that have these values (all of them without), in the order of the table's key. */
  async find<R extends object>(on: Connection, table: Table<R>, where: Row = {}): Promise<R[]> {
    const columns = Object.keys(where)
    const query = this.#once(`find ${table.name} ${columns}`, () => {
      const filter = columns.length > 0 ? sql`where ${equal(columns)}` : sql``
      return sql<Row>`select ${names(namesOf(table))} from ${sql.table(table.name)} ${filter} order by ${names(table.key)}`
    })
    const { rows } = await on.executeQuery<Row>({ ...query, parameters: Object.values(where) })
    return rows.map((row) => decode(table, row))
  }

  /** The record of a table that has one, locked until the transaction ends; for a database that others write to. */
  async lock<R extends object>(on: Connection, table: Table<R>): Promise<R | null> {
    const query = this.#once(
      `lock ${table.name}`,
      () => sql<Row>`select ${names(namesOf(table))} from ${sql.table(table.name)} where id = 1 for update`,
    )
    const [row] = (await on.executeQuery<Row>(query)).rows
    return row ? decode(table, row) : null
  }

  /** The greatest number in a column; 0 when the table is empty. */
  async greatest<R extends object>(on: Connection, table: Table<R>, column: string): Promise<number> {
    const query = this.#once(`greatest ${table.name} ${column}`, () => {
      return sql<Row>`select max(${sql.ref(column)}) as greatest from ${sql.table(table.name)}`
    })
    const { rows } = await on.executeQuery<Row>(query)
    return Number(rows[0]?.greatest ?? 0)
  }

  #once(name: string, build: () => RawBuilder<Row>): CompiledQuery<Row> {
    let query = this.#compiled.get(name)
    if (!query) {
      query = build().compile(this.#db)
      this.#compiled.set(name, query)
    }
    return query
  }
}

function upsert<R extends object>(table: Table<R>): RawBuilder<Row> {
  const columns = namesOf(table)
  const changes = columns
    .filter((column) => !table.key.includes(column))
    .map((column) => sql`${sql.ref(column)} = ${sql.ref(`excluded.${column}`)}`)
  return sql<Row>`insert into ${sql.table(table.name)} (${names(columns)}) values (${sql.join(columns.map(placeholder))})
    on conflict (${names(table.key)}) do update set ${sql.join(changes)}`
}

function names(columns: readonly string[]): RawBuilder<unknown> {
  return sql.join(columns.map((column) => sql.ref(column)))
}

function namesOf<R extends object>(table: Table<R>): string[] {
  return table.columns.map(({ column }) => column.name)
}

function equal(columns: readonly string[]): RawBuilder<unknown> {
  return sql.join(
    columns.map((column) => sql`${sql.ref(column)} = ${placeholder()}`),
    sql` and `,
  )
}

/** Only its place counts: the parameters come with each execution. */
function placeholder(): RawBuilder<unknown> {
  return sql`${null}`
}
