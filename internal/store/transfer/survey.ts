import { sql } from 'kysely'
import { newestSchema, readMark, type SchemaMark } from '../migrate.ts'
import { all } from '../tables.ts'
import { endOf, faultAt, type Place } from './transfer.ts'

/** What a store is, without a change to it. */
export interface Survey {
  /** The address of a database, or `sqlite:` and its file. */
  readonly label: string
  /** Null: nothing has been made there yet. */
  readonly schema: SchemaMark | null
  /** The schema that this version reads and writes. */
  readonly newest: number
  /** How many rows each table has; empty unless the schema is the newest. */
  readonly tables: readonly { readonly table: string; readonly rows: number }[]
}

/** Looks at the store at a place, which must exist. Rejects with a StoreError. */
export async function survey(place: Place): Promise<Survey> {
  const end = await endOf(place)
  try {
    const schema = await markOf(place.kind, end.db)
    const tables: { table: string; rows: number }[] = []
    for (const { name } of schema?.version === newestSchema ? all : []) {
      const { rows } = await sql<{ rows: number }>`select count(*) as rows from ${sql.table(name)}`.execute(end.db)
      tables.push({ table: name, rows: rows[0]?.rows ?? 0 })
    }
    return { label: end.label, schema, newest: newestSchema, tables }
  } catch (error) {
    throw faultAt(error, place)
  } finally {
    await end.close()
  }
}

async function markOf(kind: Place['kind'], db: Parameters<typeof readMark>[0]): Promise<SchemaMark | null> {
  const there =
    kind === 'sqlite'
      ? sql<{ name: string }>`select name from sqlite_schema where name = 'schema_mark'`
      : sql<{ name: string | null }>`select to_regclass('schema_mark')::text as name`
  const { rows } = await there.execute(db)
  return rows[0]?.name ? readMark(db) : null
}
