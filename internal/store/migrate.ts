import { type Kysely, sql } from 'kysely'
import { StoreError } from './fault.ts'
import { affinity } from './migrations/affinity.ts'
import { first } from './migrations/first.ts'
import { fleet } from './migrations/fleet.ts'
import type { Migration, Spelling } from './migrations/migration.ts'
import { samples } from './migrations/samples.ts'
import { shape } from './migrations/shape.ts'
import { tuning } from './migrations/tuning.ts'
import { usage } from './migrations/usage.ts'

/** In order and for ever: the schema's number is how many of them a database has seen. */
const migrations: readonly Migration[] = [first, shape, fleet, tuning, usage, affinity, samples]

/** The schema that this version of the program reads and writes. */
export const newestSchema = migrations.length

/** What wrote a database last. */
export interface SchemaMark {
  readonly version: number
  /** The program's version when it set the schema up. */
  readonly writtenBy: string
}

/** Refuses a database whose schema this program does not know, naming both versions. */
export function refuseNewer(name: string, found: SchemaMark, program: string): void {
  if (found.version <= newestSchema) return
  const theirs = `spillway ${found.writtenBy} (schema ${found.version})`
  const ours = `spillway ${program} (schema ${newestSchema})`
  throw new StoreError('newer', `${name} was written by ${theirs} and cannot be used by ${ours}`, {
    hint: 'Nothing was changed. Install the newer version, or use another data directory.',
  })
}

interface MigrateOptions {
  readonly spelling: Spelling
  readonly program: string
  /** Waits in the transaction until nobody else sets the schema up; not needed where nobody else can. */
  readonly alone?: (on: Kysely<unknown>) => Promise<void>
  /** Called in the same transaction when the database was empty before. */
  readonly begin: (on: Kysely<unknown>) => Promise<void>
}

/** Brings the schema of the database `name` up to date in one transaction. */
export async function migrate(db: Kysely<unknown>, name: string, options: MigrateOptions): Promise<void> {
  const { spelling, program, alone, begin } = options
  await db.transaction().execute(async (trx) => {
    const run = (statement: string) => sql.raw(spelt(statement, spelling)).execute(trx)
    await alone?.(trx)
    await run(markTable(spelling))
    const mark = await readMark(trx)
    if (mark) refuseNewer(name, mark, program)
    const missing = migrations.slice(mark?.version ?? 0)
    if (missing.length === 0) return
    for (const migration of missing) {
      for (const statement of migration(spelling)) await run(statement)
    }
    await sql`insert into schema_mark (id, version, written_by) values (1, ${newestSchema}, ${program})
      on conflict (id) do update set version = excluded.version, written_by = excluded.written_by`.execute(trx)
    if (!mark) await begin(trx)
  })
}

/** The type stands behind the name of its column. */
function spelt(statement: string, { text }: Spelling): string {
  return statement.replace(/(?<=\w )text\b/g, text)
}

function markTable({ int, numbered }: Spelling): string {
  return `create table if not exists schema_mark (
    id ${int} primary key not null check (id = 1),
    version ${int} not null,
    written_by text not null
  ) ${numbered}`
}

/** What wrote the database last; null in one that is new. */
export async function readMark(on: Kysely<unknown>): Promise<SchemaMark | null> {
  const { rows } = await sql<{ version: number | string; written_by: string }>`
    select version, written_by from schema_mark`.execute(on)
  const [row] = rows
  return row ? { version: Number(row.version), writtenBy: row.written_by } : null
}
