import { createHash } from 'node:crypto'
import { isSignedBy, sign } from '../vault/vault.ts'
import type { AuditRow } from './records.ts'

/** The last row that a chain is known up to; `seq` 0 is the beginning. */
export interface Link {
  readonly seq: number
  readonly hash: string
}

/** Where the chain ends, kept outside the audit table so that cutting rows off is found. */
export interface Head extends Link {
  /** Bytes of all rows that were ever written; with the anchor's count it gives what is there without adding up. */
  readonly bytes: number
  readonly signature: string
}

/** Where the chain begins after old rows were removed. */
export interface Anchor extends Head {
  /** The first bad row that was found while removing, so that removing does not wipe its traces. */
  readonly brokenSeq: number | null
  readonly problem: string | null
}

/** What is wrong with a chain, and the first row that shows it. */
export interface Break {
  readonly seq: number
  readonly problem: string
}

/** What the first row follows. */
export const beginning: Link = { seq: 0, hash: '0'.repeat(64) }

/** What a row follows when the head before it cannot be trusted: no row hashes to it, so `verify` stops there. */
export const nothing = ''

/** The canonical JSON (RFC 8785) of the row as an export shows it, without its hash. */
export function rowText(row: Omit<AuditRow, 'hash'>): string {
  const { seq, at, kind, pool, from, to, reason, actor, suppressed, detail } = row
  const shown = { seq, at: new Date(at).toISOString(), kind, pool, from, to, reason, actor, suppressed, detail }
  return canonicalJson(shown)
}

/**
 * SHA-256, in hexadecimal, over the previous row's hash and the row's text. So whoever has an export can check the chain
 * with ordinary tools.
 */
export function chainHash(previous: string, text: string): string {
  return createHash('sha256')
    .update(previous + text)
    .digest('hex')
}

/** JSON with sorted keys and no white space (RFC 8785); fields that are undefined are left out. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((each) => canonicalJson(each ?? null)).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const fields = Object.entries(value).filter(([, each]) => each !== undefined)
  fields.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([name, each]) => `${JSON.stringify(name)}:${canonicalJson(each)}`).join(',')}}`
}

/** The head with our signature. */
export function signedHead(key: Uint8Array, head: Omit<Head, 'signature'>): Head {
  return { ...head, signature: sign(key, headText(head)) }
}

/** Whether the head is one that we signed. */
export function isOurHead(key: Uint8Array, head: Head): boolean {
  return isSignedBy(key, headText(head), head.signature)
}

/** The anchor with our signature. */
export function signedAnchor(key: Uint8Array, anchor: Omit<Anchor, 'signature'>): Anchor {
  return { ...anchor, signature: sign(key, anchorText(anchor)) }
}

/** Whether the anchor is one that we signed. */
export function isOurAnchor(key: Uint8Array, anchor: Anchor): boolean {
  return isSignedBy(key, anchorText(anchor), anchor.signature)
}

/** Follows the rows from `start`: the last link, or where they do not follow one another. */
export function follow(start: Link, rows: readonly AuditRow[]): { readonly last: Link; readonly broken: Break | null } {
  let last = start
  for (const row of rows) {
    const expected = last.seq + 1
    if (row.seq !== expected) return { last, broken: { seq: expected, problem: `row ${expected} is missing` } }
    if (chainHash(last.hash, rowText(row)) !== row.hash) {
      const problem = `row ${row.seq} was changed, or does not follow the row before it`
      return { last, broken: { seq: row.seq, problem } }
    }
    last = { seq: row.seq, hash: row.hash }
  }
  return { last, broken: null }
}

/** How the end of the rows differs from the signed head; null when they agree. */
export function compareEnd(last: Link, head: Link): Break | null {
  const next = last.seq + 1
  if (last.seq < head.seq) return { seq: next, problem: `row ${next} and what followed it are missing` }
  if (last.seq > head.seq) return { seq: head.seq + 1, problem: `row ${head.seq + 1} is behind the signed head` }
  return last.hash === head.hash ? null : { seq: last.seq, problem: `row ${last.seq} does not match the signed head` }
}

function headText({ seq, hash, bytes }: Omit<Head, 'signature'>): string {
  return JSON.stringify(['head', seq, hash, bytes])
}

function anchorText({ seq, hash, bytes, brokenSeq, problem }: Omit<Anchor, 'signature'>): string {
  return JSON.stringify(['anchor', seq, hash, bytes, brokenSeq, problem])
}
