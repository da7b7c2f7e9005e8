/** What a database keeps in one place of a row. */
export type Cell = string | number | null

/** How one field of a record stands in its table. */
export interface Column<V> {
  readonly name: string
  encode(value: V): Cell
  decode(cell: Cell): V
}

/** A table whose rows are records. */
export interface Table<R extends object> {
  readonly name: string
  /** The names of the columns that identify a row. */
  readonly key: readonly string[]
  /** Its columns, each with the field that it keeps. */
  readonly columns: readonly { readonly field: keyof R; readonly column: Column<R[keyof R]> }[]
}

/** A table for records of type `R`; the type of `fields` makes sure that no field is forgotten. */
export function table<R extends object>(
  name: string,
  key: readonly string[],
  fields: { readonly [F in keyof R]-?: Column<R[F]> },
): Table<R> {
  const names = Object.keys(fields) as (keyof R)[]
  return { name, key, columns: names.map((field) => ({ field, column: fields[field] })) }
}

/** Text as it is; `V` narrows it where only some words occur. */
export function text<V extends string | null>(name: string): Column<V> {
  return { name, encode: (value) => value, decode: (cell) => cell as V }
}

/** A whole number. Instants are rounded, because back-off with jitter has fractions of a millisecond. */
export function whole(name: string): Column<number> {
  // PostgreSQL hands out 64-bit integers as text.
  return { name, encode: Math.round, decode: Number }
}

/** A whole number or null. */
export function maybeWhole(name: string): Column<number | null> {
  return {
    name,
    encode: (value) => value && Math.round(value),
    decode: (cell) => (cell === null ? null : Number(cell)),
  }
}

/** A number with fractions, or null. */
export function fraction(name: string): Column<number | null> {
  return { name, encode: (value) => value, decode: (cell) => (cell === null ? null : Number(cell)) }
}

/** Anything that JSON can carry; null is the database's null. */
export function json<V>(name: string): Column<V> {
  return {
    name,
    encode: (value) => (value === null || value === undefined ? null : JSON.stringify(value)),
    decode: (cell) => (cell === null ? null : JSON.parse(String(cell))) as V,
  }
}

/** A field that a record may leave out; it is stored as null. */
export function optional<V>(column: Column<V>): Column<V | undefined> {
  return {
    name: column.name,
    encode: (value) => (value === undefined ? null : column.encode(value)),
    decode: (cell) => (cell === null ? undefined : column.decode(cell)),
  }
}

/** The cells of a record, in the order of the table's columns. */
export function encode<R extends object>(table: Table<R>, record: R): Cell[] {
  return table.columns.map(({ field, column }) => column.encode(record[field]))
}

/** The record that a row stands for; fields that are undefined are left out. */
export function decode<R extends object>(table: Table<R>, row: Readonly<Record<string, Cell>>): R {
  const record: Partial<R> = {}
  for (const { field, column } of table.columns) {
    const value = column.decode(row[column.name] ?? null)
    if (value !== undefined) record[field] = value
  }
  return record as R
}
