import { sql } from 'kysely'
import type { SampleQuery, SampleRetention } from './api.ts'
import { decode } from './column.ts'
import type { UsageSample } from './records.ts'
import type { Connection, Row, Statements } from './statements.ts'
import { usageSamples } from './tables.ts'

const hourMs = 3_600_000
/** What a row costs beside its JSON. */
const rowBytes = 80

/** Writes a sample over the one of the same credential, time and writer. */
export function putSample(on: Connection, statements: Statements, sample: UsageSample): Promise<void> {
  const bytes = rowBytes + JSON.stringify(sample.windows).length + JSON.stringify(sample.work).length
  return statements.put(on, usageSamples, { ...sample, bytes })
}

/** The samples that fit, oldest first. */
export async function listSamples(on: Connection, query: SampleQuery): Promise<UsageSample[]> {
  const columns = sql`credential_id, at, writer, windows, work`
  const { rows } = await ('latest' in query
    ? sql<Row>`select ${columns} from usage_samples as one where not exists (
        select 1 from usage_samples as other where other.credential_id = one.credential_id and other.at > one.at
      ) order by at, credential_id, writer`
    : sql<Row>`select ${columns} from usage_samples where at > ${query.after} order by at, credential_id, writer`
  ).execute(on)
  return rows.map((row) => {
    const { bytes: _, ...sample } = decode(usageSamples, row)
    return sample
  })
}

/** Keeps one sample an hour of those that are older than `finestMs`, and what is within the age and the bytes; returns how many went. */
export async function thinSamples(on: Connection, now: number, retention: SampleRetention): Promise<number> {
  const { finestMs, maxAgeMs, maxBytes } = retention
  const coarse = Math.floor((now - finestMs) / hourMs) * hourMs
  const thinned = await sql`delete from usage_samples where at < ${coarse} and exists (
    select 1 from usage_samples as later where later.credential_id = usage_samples.credential_id
      and later.writer = usage_samples.writer and later.at > usage_samples.at and later.at < ${coarse}
      and later.at / ${sql.lit(hourMs)} = usage_samples.at / ${sql.lit(hourMs)}
  )`.execute(on)
  const oldest = Math.max(now - maxAgeMs, await overBudget(on, maxBytes))
  const aged = await sql`delete from usage_samples where at < ${oldest}`.execute(on)
  return Number(thinned.numAffectedRows ?? 0) + Number(aged.numAffectedRows ?? 0)
}

/** Up to where, from the oldest on, the samples are more than `maxBytes` allows; 0 when they are not. */
async function overBudget(on: Connection, maxBytes: number): Promise<number> {
  const { rows } = await sql<{ at: number | string; bytes: number | string }>`
    select at, sum(bytes) as bytes from usage_samples group by at order by at desc`.execute(on)
  let bytes = 0
  for (const row of rows) {
    bytes += Number(row.bytes)
    if (bytes > maxBytes) return Number(row.at) + 1
  }
  return 0
}
