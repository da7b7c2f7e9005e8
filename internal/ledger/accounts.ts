import type { Tokens } from '../dialect/dialect.ts'
import type { At } from '../pool/pool.ts'
import type { UsageRecord } from '../store/store.ts'

/** What one answer is added to. */
export interface Entry {
  readonly pool: string
  readonly key: string
  readonly member: string
  readonly model: string | null
}

/** One answer: its tokens and its cost in billionths of a dollar, as far as they are known. */
export interface Amount {
  readonly tokens: Tokens | null
  readonly cost: number | null
}

export const hourMs = 3_600_000

/** Names of models come from clients: more of them than this in an hour are `other`. */
const mostModels = 200
/** So many rows has an hour at most; what would be another one goes to the row that is `other` in everything. */
const mostRows = 10_000
/** So many rows wait at most to be written; of more, the oldest are forgotten. */
const mostWaiting = 3 * mostRows

export const other = 'other'

type Account = { -readonly [F in keyof UsageRecord]: UsageRecord[F] } & { written: number }

/** When the hour began in which an instant is. */
export function hourOf(at: At): At {
  return at - (at % hourMs)
}

/** The name of a model as it is kept; empty for none, `other` for what no provider would call one. */
export function modelName(model: string | null): string {
  if (model === null || model === '') return ''
  return /^[\w][\w.:/@+[\]-]{0,99}$/.test(model) ? model : other
}

/** The sums of the present hour, and of earlier ones that have not been written. */
export class Accounts {
  readonly #writer: string
  #hour: At = 0
  #open = new Map<string, Account>()
  #models = new Set<string>()
  #closed: Account[] = []
  /** Where the latest answer went, with whose it was: the next one is often the same. */
  #latest: { readonly entry: Entry; readonly account: Account } | null = null

  /** `writer` names this run of the program. */
  constructor(writer: string) {
    this.#writer = writer
  }

  /** Adds an answer to the hour of `now`, which never goes back: an hour that is closed is written over no more. */
  add(entry: Entry, { tokens, cost }: Amount, now: At): void {
    if (hourOf(now) > this.#hour) this.#turn(hourOf(now))
    const account = this.#accountOf(entry)
    account.requests++
    if (tokens === null) {
      account.unmetered++
      return
    }
    if (cost === null) account.unpriced++
    else account.cost += cost
    account.input += tokens.input
    account.cached += tokens.cached
    account.cacheWrite += tokens.cacheWrite
    account.output += tokens.output
    account.reasoning += tokens.reasoning
  }

  /** What has grown since it was written, as rows; at most `limit` of them, oldest first. */
  unwritten(limit: number): UsageRecord[] {
    const rows: UsageRecord[] = []
    for (const account of this.#all()) {
      if (rows.length === limit) break
      if (account.written !== account.requests) rows.push(rowOf(account))
    }
    return rows
  }

  /** The rows are in the store. */
  wrote(rows: readonly UsageRecord[]): void {
    const written = new Map(rows.map((row) => [`${row.hour} ${keyOf(row)}`, row.requests]))
    for (const account of this.#all()) {
      account.written = written.get(`${account.hour} ${keyOf(account)}`) ?? account.written
    }
    this.#closed = this.#closed.filter((account) => account.written !== account.requests)
  }

  *#all(): Generator<Account> {
    yield* this.#closed
    yield* this.#open.values()
  }

  #turn(hour: At): void {
    const waiting = [...this.#open.values()].filter((account) => account.written !== account.requests)
    this.#closed = [...this.#closed, ...waiting].slice(-mostWaiting)
    this.#open = new Map()
    this.#models = new Set()
    this.#latest = null
    this.#hour = hour
  }

  #accountOf(entry: Entry): Account {
    const latest = this.#latest
    if (latest !== null && isSame(latest.entry, entry)) return latest.account
    const account = this.#found(entry)
    this.#latest = { entry, account }
    return account
  }

  #found({ pool, key, member, model }: Entry): Account {
    const named = { pool, key, member, model: this.#known(modelName(model)) }
    const known = this.#open.get(keyOf(named))
    if (known) return known
    const isFull = this.#open.size >= mostRows
    const names = isFull ? { pool: other, key: other, member: other, model: other } : named
    const account = this.#open.get(keyOf(names)) ?? this.#opened(names)
    this.#open.set(keyOf(names), account)
    return account
  }

  #known(model: string): string {
    if (this.#models.has(model)) return model
    if (this.#models.size >= mostModels) return other
    this.#models.add(model)
    return model
  }

  #opened(names: { pool: string; key: string; member: string; model: string }): Account {
    const nothing = { input: 0, cached: 0, cacheWrite: 0, output: 0, reasoning: 0, cost: 0 }
    const counts = { requests: 0, unmetered: 0, unpriced: 0, written: 0, ...nothing }
    return { hour: this.#hour, writer: this.#writer, ...names, ...counts }
  }
}

function isSame(one: Entry, other: Entry): boolean {
  return one.member === other.member && one.model === other.model && one.key === other.key && one.pool === other.pool
}

function keyOf({ pool, key, member, model }: Omit<Entry, 'model'> & { readonly model: string }): string {
  return `${pool}\n${key}\n${member}\n${model}`
}

function rowOf({ written: _, ...row }: Account): UsageRecord {
  return row
}
