import { isDeepStrictEqual } from 'node:util'
import { type AuditEntry, type Changes, Conflict, type Shared, type Write } from '../../store/store.ts'
import { rowOf } from '../record/row.ts'
import { credentialRow, domainRow, poolStateRow, type Registry, seatRow } from '../state/registry.ts'
import type { Knowledge } from './knowledge.ts'
import { isKnownFrom } from './known-from.ts'

/** An event with the rows that it explains. */
export interface ExplainedEntry extends AuditEntry {
  readonly rows: readonly string[]
}

/** Commits decisions against what others have decided meanwhile: their rows are taken in, and ours written on top of them. */
export class Sharing {
  readonly #shared: Shared
  readonly #registry: Registry
  readonly #knowledge: Knowledge
  readonly #adopt: (writes: readonly Write[]) => void
  /** The number up to which others' changes have been taken in. */
  #seen: number
  /** The same when the first decision was taken that is not written yet: what was heard since has to be joined to it. */
  #decidedAt: number | null = null

  constructor(parts: {
    shared: Shared
    registry: Registry
    knowledge: Knowledge
    adopt: (writes: readonly Write[]) => void
    seen: number
  }) {
    this.#shared = parts.shared
    this.#registry = parts.registry
    this.#knowledge = parts.knowledge
    this.#adopt = parts.adopt
    this.#seen = parts.seen
  }

  /** Takes in what others have changed. */
  take({ writes, number }: Changes): void {
    this.#adopt(writes)
    this.#seen = Math.max(this.#seen, number)
  }

  /** The write, which belongs to a decision that is taken now, with what others have to know beside it. */
  dressed(write: Write): Write {
    this.#decidedAt ??= this.#seen
    return this.#knowledge.dressed(write)
  }

  /** Resolves with the sequence number of each entry; null for those that another replica has told already. */
  async commit(writes: readonly Write[], entries: readonly ExplainedEntry[]): Promise<readonly (number | null)[]> {
    const decidedAt = this.#decidedAt ?? this.#seen
    this.#decidedAt = null
    let seen = decidedAt
    let batch = { writes, entries }
    while (true) {
      try {
        const audit = batch.entries
        const { seqs } = await this.#shared.commit({ writes: batch.writes, audit, seen })
        return entries.map((entry) => seqs[batch.entries.indexOf(entry)] ?? null)
      } catch (error) {
        if (!(error instanceof Conflict)) {
          this.#decidedAt = decidedAt
          throw error
        }
        batch = this.#reconciled(batch, error.current.writes)
        seen = error.current.number
      }
    }
  }

  /** What is left to write and to tell once the rows of others are taken in. */
  #reconciled(
    { writes, entries }: { writes: readonly Write[]; entries: readonly ExplainedEntry[] },
    current: readonly Write[],
  ): { writes: readonly Write[]; entries: readonly ExplainedEntry[] } {
    this.#adopt(current)
    const theirs = new Map(current.map((write) => [rowOf(write), write]))
    const left = new Map<string, Write | null>()
    for (const write of writes) {
      const row = rowOf(write)
      const its = theirs.get(row)
      const mine = this.#isAboutNobody(write) ? null : its ? this.#asItIsNow(write) : write
      left.set(row, its && mine && isDeepStrictEqual(mine, its) ? null : mine)
    }
    return {
      writes: [...left.values()].filter((write) => write !== null),
      entries: entries.filter(({ event, rows }) => {
        const contested = rows.flatMap((row) => theirs.get(row) ?? [])
        return event.actor !== 'spillway' || !isKnownFrom(event, contested, (member) => this.#idOf(member))
      }),
    }
  }

  /** Whether others have removed what the write is about: then it would bring a part of it back. */
  #isAboutNobody(write: Write): boolean {
    const { byId, pools } = this.#registry
    if (!('put' in write)) return false
    if (write.put === 'pool') return !pools.has(write.row.name)
    if (write.put === 'credential') return !byId.has(write.row.id)
    // Client keys have secrets, too.
    return write.put === 'secret' && !write.row.owner.startsWith('key:') && !byId.has(write.row.owner)
  }

  #idOf(member: string | null): string | undefined {
    return member === null ? undefined : this.#registry.credentials.get(member)?.record.id
  }

  /** The row of the write from the live state, in which theirs and ours are joined; null when what it is about is gone. */
  #asItIsNow(write: Write): Write | null {
    if (!('put' in write)) return write
    const { byId, pools } = this.#registry
    switch (write.put) {
      case 'credential-state': {
        const credential = byId.get(write.row.id)
        return credential ? this.#knowledge.dressed(credentialRow(credential)) : null
      }
      case 'domain':
        return this.#knowledge.dressed(domainRow(this.#registry.domain(write.row.name)))
      case 'pool-state': {
        const pool = pools.get(write.row.name)
        return pool ? poolStateRow(pool) : null
      }
      case 'seat': {
        const { pool, credentialId } = write.row
        const seat = pools.get(pool)?.seats.find(({ owner }) => owner.record.id === credentialId)
        return seat ? seatRow(seat) : null
      }
      default:
        return write
    }
  }
}
