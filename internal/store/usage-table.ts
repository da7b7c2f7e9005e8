import { sql } from 'kysely'
import type { UsageDimension, UsageQuery, UsageRetention, UsageSum } from './api.ts'
import type { Connection, Row } from './statements.ts'
import { usage } from './tables.ts'

const hours = sql.table(usage.name)

const columns: Readonly<Record<UsageDimension, string>> = {
  key: 'key_name',
  member: 'member',
  model: 'model',
  pool: 'pool',
}

const counted = [
  'requests',
  'unmetered',
  'unpriced',
  'input',
  'cached',
  'cache_write',
  'output',
  'reasoning',
  'cost',
] as const

/** What a row takes beside its texts, in bytes. */
const rowBytes = 110

/** So many rows go in one transaction, and the rest of their hour. */
const rowsAtOnce = 500

/** What usage records come to, in the order of the dimensions. */
export async function usageSums(on: Connection, { from, to, by }: UsageQuery): Promise<readonly UsageSum[]> {
  const names = by.map((dimension) => sql.ref(columns[dimension]))
  const sums = counted.map((column) => sql`sum(${sql.ref(column)}) as ${sql.ref(column)}`)
  const grouped = names.length === 0 ? sql`` : sql`group by ${sql.join(names)} order by ${sql.join(names)}`
  const query = sql<Row>`select ${sql.join([...names, ...sums])} from ${hours}
    where hour >= ${from} and hour < ${to} ${grouped}`
  const { rows } = await query.execute(on)
  // Without a dimension there is one row, of nulls when there is nothing to add up.
  return rows.filter(({ requests }) => requests !== null).map(sumOf)
}

function sumOf(row: Row): UsageSum {
  const name = (dimension: UsageDimension) => (row[columns[dimension]] ?? null) as string | null
  const number = (column: (typeof counted)[number]) => Number(row[column])
  return {
    key: name('key'),
    member: name('member'),
    model: name('model'),
    pool: name('pool'),
    requests: number('requests'),
    unmetered: number('unmetered'),
    unpriced: number('unpriced'),
    input: number('input'),
    cached: number('cached'),
    cacheWrite: number('cache_write'),
    output: number('output'),
    reasoning: number('reasoning'),
    cost: number('cost'),
  }
}

/** Removes some of the hours that are over the budget, oldest first; returns how many rows went, 0 when nothing is over it. */
export async function pruneUsage(on: Connection, oldest: number, { maxBytes }: UsageRetention): Promise<number> {
  const { rows } = await sql<Row>`select hour, count(*) as held,
      sum(${sql.lit(rowBytes)} + length(writer) + length(pool) + length(key_name) + length(member) + length(model)) as bytes
    from ${hours} group by hour order by hour desc`.execute(on)
  const held = rows.map((row) => ({ hour: Number(row.hour), rows: Number(row.held), bytes: Number(row.bytes) }))
  const over = overBudget(held, { oldest, maxBytes }).reverse()
  let gone = 0
  let last: number | null = null
  for (const each of over) {
    if (gone >= rowsAtOnce) break
    gone += each.rows
    last = each.hour
  }
  if (last !== null) await sql`delete from ${hours} where hour <= ${last}`.execute(on)
  return gone
}

interface HeldHour {
  readonly hour: number
  readonly rows: number
  readonly bytes: number
}

/** The hours that go, of those that are held, newest first; the newest always stays. */
function overBudget(held: readonly HeldHour[], budget: { oldest: number; maxBytes: number }): HeldHour[] {
  let bytes = 0
  const cut = held.findIndex((each, at) => {
    bytes += each.bytes
    return at > 0 && (bytes > budget.maxBytes || each.hour < budget.oldest)
  })
  return cut === -1 ? [] : held.slice(cut)
}
