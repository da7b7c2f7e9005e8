import { type RawBuilder, sql } from 'kysely'
import type { AuditQuery } from './api.ts'
import {
  type Anchor,
  type Break,
  beginning,
  chainHash,
  compareEnd,
  follow,
  type Head,
  isOurAnchor,
  isOurHead,
  type Link,
  nothing,
  rowText,
  signedAnchor,
  signedHead,
} from './chain.ts'
import { decode } from './column.ts'
import type { AuditRow } from './records.ts'
import type { Connection, Row, Statements } from './statements.ts'
import type { NamedEntry, StepTypes, Walk } from './steps.ts'
import { anchors, audit, heads, type StoredRow } from './tables.ts'

const walkRows = 2_000
const pruneRows = 500
/** An entry that is tried again is looked for among this many of the newest rows: far more than can be pending. */
const recentRows = 20_000

/** The audit table with its head and anchor. Every method runs in a transaction of the caller. */
export class AuditTable {
  readonly #statements: Statements
  readonly #key: Uint8Array
  readonly #isShared: boolean

  /** `isShared`: other processes append to the same chain, and its head is locked before it is continued. */
  constructor(statements: Statements, key: Uint8Array, isShared = false) {
    this.#statements = statements
    this.#key = key
    this.#isShared = isShared
  }

  /** Signs the beginning of an empty chain, so that a head that is missing later on was removed by somebody. */
  async begin(on: Connection): Promise<void> {
    const link = { ...beginning, bytes: 0 }
    await this.#statements.put(on, heads, { id: 1, ...signedHead(this.#key, link) })
    await this.#statements.put(on, anchors, {
      id: 1,
      ...signedAnchor(this.#key, { ...link, brokenSeq: null, problem: null }),
    })
  }

  /** Appends the entries and returns their numbers; an entry that an earlier attempt wrote keeps its number. */
  async append(on: Connection, entries: readonly NamedEntry[]): Promise<number[]> {
    const seqs: number[] = []
    let head = await this.#end(on)
    const before = head
    for (const each of entries) {
      const written = each.again ? await this.#written(on, each.entry, head.seq) : null
      if (written === null) {
        const row = rowOf(each, head)
        await this.#statements.put(on, audit, row)
        head = { seq: row.seq, hash: row.hash, bytes: head.bytes + row.bytes }
      }
      seqs.push(written ?? head.seq)
    }
    if (head !== before) await this.#statements.put(on, heads, { id: 1, ...signedHead(this.#key, head) })
    return seqs
  }

  /** Rows that fit, oldest first. */
  async list(on: Connection, query: AuditQuery): Promise<AuditRow[]> {
    const { since, pool, kind, after, limit } = query
    const tests: RawBuilder<unknown>[] = []
    if (since !== undefined) tests.push(sql`at >= ${Math.ceil(since)}`)
    if (pool !== undefined) tests.push(sql`pool = ${pool}`)
    if (kind !== undefined) tests.push(sql`kind = ${kind}`)
    if (after !== undefined) tests.push(sql`seq > ${after}`)
    const rows = await select(on, { tests, newestFirst: after === undefined, limit })
    return (after === undefined ? rows.reverse() : rows).map(auditRowOf)
  }

  /** One stretch of a walk along the chain. */
  async verify(on: Connection, walk: StepTypes['verify']['asks']): Promise<Walk> {
    const head = await this.#head(on)
    const anchor = await this.#anchor(on)
    const rows = walk?.rows ?? 0
    const end = (broken: Break | null): Walk => ({ done: true, rows, head: linkOf(head ?? beginning), broken })
    const broken = await this.#checkEnds(on, head, anchor)
    if (broken || !head || !anchor) return end(broken)
    // Rows may have been removed under the walk's feet: the anchor then stands for them.
    const start = walk && walk.last.seq >= anchor.seq ? walk.last : anchor
    const stretch = await select(on, { tests: [sql`seq > ${start.seq}`], newestFirst: false, limit: walkRows })
    const found = follow(start, stretch)
    if (found.broken) return end(found.broken)
    const counted = rows + stretch.length
    if (stretch.length === walkRows) return { done: false, last: found.last, rows: counted }
    return { done: true, rows: counted, head: linkOf(head), broken: compareEnd(found.last, head) }
  }

  /** Removes the oldest rows that are over the budget, at most 500 of them, and moves the anchor behind them. */
  async prune(on: Connection, { now, retention }: StepTypes['prune']['asks']): Promise<number> {
    const head = await this.#end(on)
    const anchor = await this.#anchorToMove(on)
    const oldest = await select(on, { tests: [sql`seq > ${anchor.seq}`], newestFirst: false, limit: pruneRows })
    let bytes = head.bytes - anchor.bytes
    let count = 0
    for (const row of oldest) {
      const rowsLeft = head.seq - row.seq + 1
      if (row.at >= now - retention.maxAgeMs && rowsLeft <= retention.maxRows && bytes <= retention.maxBytes) break
      bytes -= row.bytes
      count++
    }
    const gone = oldest.slice(0, count)
    const last = gone.at(-1)
    if (!last) return 0
    const broken = anchor.problem === null ? follow(anchor, gone).broken : null
    const moved = {
      seq: last.seq,
      hash: last.hash,
      bytes: head.bytes - bytes,
      brokenSeq: broken?.seq ?? anchor.brokenSeq,
      problem: broken?.problem ?? anchor.problem,
    }
    await sql`delete from audit where seq <= ${last.seq}`.execute(on)
    await this.#statements.put(on, anchors, { id: 1, ...signedAnchor(this.#key, moved) })
    return count
  }

  /** What is wrong before a row is looked at; never null when head or anchor is. */
  async #checkEnds(on: Connection, head: Head | null, anchor: Anchor | null): Promise<Break | null> {
    if (!head) return { seq: Math.max(1, await this.#lastSeq(on)), problem: 'the signed head of the log is missing' }
    if (!isOurHead(this.#key, head)) {
      return { seq: head.seq, problem: 'the head of the log does not carry our signature' }
    }
    if (!anchor) return { seq: 1, problem: 'the signed anchor of the log is missing' }
    if (!isOurAnchor(this.#key, anchor))
      return { seq: anchor.seq, problem: 'the anchor of the log does not carry our signature' }
    if (anchor.problem !== null)
      return { seq: anchor.brokenSeq ?? anchor.seq, problem: `${anchor.problem} (found when old rows were removed)` }
    const [stray] = await select(on, { tests: [sql`seq <= ${anchor.seq}`], newestFirst: false, limit: 1 })
    return stray ? { seq: stray.seq, problem: `row ${stray.seq} stands before the beginning of the log` } : null
  }

  /** What the next row follows. A head that is not ours must not be continued: our next signature would vouch for it. */
  async #end(on: Connection): Promise<Omit<Head, 'signature'>> {
    const head = this.#isShared ? await this.#statements.lock(on, heads) : await this.#head(on)
    if (head && isOurHead(this.#key, head)) return { ...head, seq: Math.max(head.seq, await this.#lastSeq(on)) }
    return { seq: Math.max(head?.seq ?? 0, await this.#lastSeq(on)), hash: nothing, bytes: head?.bytes ?? 0 }
  }

  async #anchorToMove(on: Connection): Promise<Anchor> {
    const anchor = await this.#anchor(on)
    if (anchor && isOurAnchor(this.#key, anchor)) return anchor
    const problem = anchor
      ? 'the anchor of the log did not carry our signature'
      : 'the signed anchor of the log was missing'
    return { ...beginning, bytes: 0, signature: '', brokenSeq: 1, problem }
  }

  async #head(on: Connection): Promise<Head | null> {
    return (await this.#statements.find(on, heads))[0] ?? null
  }

  async #anchor(on: Connection): Promise<Anchor | null> {
    return (await this.#statements.find(on, anchors))[0] ?? null
  }

  #lastSeq(on: Connection): Promise<number> {
    return this.#statements.greatest(on, audit, 'seq')
  }

  async #written(on: Connection, entry: string, newest: number): Promise<number | null> {
    const tests = [sql`entry = ${entry}`, sql`seq > ${newest - recentRows}`]
    const [row] = await select(on, { tests, newestFirst: true, limit: 1 })
    return row?.seq ?? null
  }
}

function rowOf({ event, suppressed, entry }: NamedEntry, previous: Link): StoredRow {
  const { kind, at, pool, from, to, reason, actor, detail } = event
  const row = { seq: previous.seq + 1, at: Math.round(at), kind, pool, from, to, reason, actor, suppressed, detail }
  // The names of the fields weigh in JSON what hash, entry name and b-tree weigh in the database (measured on SQLite).
  const text = rowText(row)
  return { ...row, hash: chainHash(previous.hash, text), bytes: Buffer.byteLength(text), entry }
}

function linkOf({ seq, hash }: Link): Link {
  return { seq, hash }
}

function auditRowOf({ bytes: _bytes, entry: _entry, ...row }: StoredRow): AuditRow {
  return row
}

async function select(
  on: Connection,
  by: {
    readonly tests: readonly RawBuilder<unknown>[]
    readonly newestFirst: boolean
    readonly limit: number | undefined
  },
): Promise<StoredRow[]> {
  const where = by.tests.length > 0 ? sql`where ${sql.join(by.tests, sql` and `)}` : sql``
  const order = by.newestFirst ? sql`desc` : sql`asc`
  const limit = by.limit === undefined ? sql`` : sql`limit ${by.limit}`
  const columns = sql.join(audit.columns.map(({ column }) => sql.ref(column.name)))
  const found = await sql<Row>`select ${columns} from audit ${where} order by seq ${order} ${limit}`.execute(on)
  return found.rows.map((row) => decode(audit, row))
}
