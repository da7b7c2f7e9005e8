import { sql } from 'kysely'
import type { Changes, Write } from '../batch.ts'
import { decode } from '../column.ts'
import { Conflict, LeaseLost } from '../fault.ts'
import type { Fleet } from '../sql.ts'
import { type Connection, type Row, Statements } from '../statements.ts'
import type { NamedBatch } from '../steps.ts'
import * as tables from '../tables.ts'
import { type Followed, followed, type Touched, touchedBy } from './followed.ts'
import { isCurrent, now } from './leases.ts'

/** The channel of the notifications. */
export const channel = 'spillway'

/** How long it is remembered that a row is gone: whoever was away longer takes a snapshot. */
const rememberedMs = 24 * 3_600_000

/**
 * The numbers of the batches, and which rows each of them changed. A batch locks the row that counts them, so that the
 * fleet's batches are written one after the other and become visible in the order of their numbers.
 */
export class Feed implements Fleet {
  readonly #statements: Statements
  readonly #origin: string

  constructor(db: Connection, origin: string) {
    this.#statements = new Statements(db)
    this.#origin = origin
  }

  async enter(on: Connection, { writes, fence, seen }: NamedBatch): Promise<number | null> {
    if (fence && !(await isCurrent(on, fence))) {
      throw new LeaseLost(`the lease ${fence.name} of generation ${fence.generation} is not current any more`)
    }
    const named = writes.map(touchedBy).filter((row) => row !== null)
    if (named.length === 0) return null
    const number = await this.#count(on)
    const rows = [...named, ...(await this.#cascades(on, named))]
    const unseen = await this.#note(on, rows, { number, seen: seen ?? number })
    if (unseen.length > 0) throw new Conflict({ writes: await asTheyAre(on, unseen), number: number - 1 })
    return number
  }

  /** The number of the newest batch that the transaction sees, and the highest that was forgotten. */
  async ends(on: Connection): Promise<{ readonly number: number; readonly floor: number }> {
    const { rows } = await sql<{ number: number; floor: number }>`select number, floor from fleet`.execute(on)
    return rows[0] ?? { number: 0, floor: 0 }
  }

  /** What others changed after a batch, in a transaction that sees one moment; null when it was forgotten. */
  async changes(on: Connection, after: number): Promise<Changes | null> {
    const { number, floor } = await this.ends(on)
    if (after < floor) return null
    const { rows } = await sql<Named>`
      select kind, key from changes where number > ${after} and origin <> ${this.#origin}`.execute(on)
    return { writes: await asTheyAre(on, rows), number }
  }

  async forget(on: Connection): Promise<void> {
    await sql`select 1 from fleet for update`.execute(on)
    await sql`with forgotten as (delete from changes where gone = 1 and at < ${now} - ${rememberedMs}::bigint returning number)
      update fleet set floor = greatest(floor, (select max(number) from forgotten))`.execute(on)
  }

  /** Numbers the batch, and tells the others when it is committed. */
  async #count(on: Connection): Promise<number> {
    const { rows } = await sql<{ number: number }>`
      with counted as (update fleet set number = number + 1 returning number)
      select number, pg_notify(${channel}, number || ' ' || ${this.#origin}::text) from counted`.execute(on)
    return rows[0]?.number ?? 0
  }

  /** The rows that go with those that are dropped. */
  async #cascades(on: Connection, named: readonly Touched[]): Promise<Touched[]> {
    const found: Touched[] = []
    const also = (kind: Touched['kind'], key: readonly string[]) => found.push({ kind, key, gone: true })
    for (const { kind, key, gone } of named) {
      const [id = ''] = key
      if (!gone || (kind !== 'pool' && kind !== 'credential')) continue
      const where = kind === 'pool' ? { pool: id } : { credential_id: id }
      for (const seat of await this.#statements.find(on, tables.seats, where))
        also('seat', [seat.pool, seat.credentialId])
      also(kind === 'pool' ? 'pool-state' : 'credential-state', key)
      if (kind === 'credential') also('secret', key)
    }
    return found
  }

  /**
   * Notes the rows, unless somebody else changed one of them after the batch `seen`; returns those. Nobody can change them
   * meanwhile, because the batch is counted already.
   */
  async #note(
    on: Connection,
    touched: readonly Touched[],
    { number, seen }: { readonly number: number; readonly seen: number },
  ): Promise<readonly Named[]> {
    // The last write of a row counts.
    const each = [...new Map(touched.map((row) => [textOf(row), row])).values()]
    const { rows } = await sql<Named>`
      with touched (kind, key, gone) as (
        select * from unnest(${each.map(({ kind }) => kind)}::text[], ${each.map(({ key }) => JSON.stringify(key))}::text[],
          ${each.map(({ gone }) => Number(gone))}::bigint[])
      ), unseen as (
        select kind, key from changes
        where number > ${seen} and origin <> ${this.#origin}
          and (kind, key) in (select touched.kind, touched.key from touched)
      ), noted as (
        insert into changes (kind, key, number, origin, at, gone)
        select kind, key, ${number}::bigint, ${this.#origin}::text, ${now}, gone from touched
        where not exists (select 1 from unseen)
        on conflict (kind, key) do update
        set number = excluded.number, origin = excluded.origin, at = excluded.at, gone = excluded.gone
      )
      select kind, key from unseen`.execute(on)
    return rows
  }
}

/** A row as a change names it. */
interface Named {
  readonly kind: Followed['kind']
  readonly key: string
}

function textOf({ kind, key }: Touched): string {
  return `${kind} ${JSON.stringify(key)}`
}

/** The writes that bring a copy of these rows up to date: what is gone, then what is there. */
async function asTheyAre(on: Connection, rows: readonly Named[]): Promise<Write[]> {
  const drops: Write[] = []
  const puts: Write[] = []
  for (const each of followed) {
    const keys = rows.filter(({ kind }) => kind === each.kind).map(({ key }) => JSON.parse(key) as string[])
    if (keys.length === 0) continue
    const found = await rowsOf(on, each, keys)
    const there = new Set(found.map((row) => JSON.stringify(each.key.map((column) => row[column]))))
    for (const key of keys) {
      // Of secrets, some of an owner's may be gone and others there.
      const isGone = each.kind === 'secret' || !there.has(JSON.stringify(key))
      const drop = isGone ? each.drop(key) : null
      if (drop) drops.push(drop)
    }
    for (const row of found) puts.push(each.put(decode(each.table, row)))
  }
  return [...drops, ...puts]
}

async function rowsOf(on: Connection, { table, key }: Followed, keys: readonly (readonly string[])[]): Promise<Row[]> {
  const columns = sql.join(table.columns.map(({ column }) => sql.ref(column.name)))
  const named = sql.join(key.map((column) => sql.ref(column)))
  const given = sql.join(key.map((_, i) => sql`${keys.map((values) => values[i])}::text[]`))
  const query = sql<Row>`select ${columns} from ${sql.table(table.name)} where (${named}) in (select * from unnest(${given}))`
  return (await query.execute(on)).rows
}
