import { describe, expect, test } from 'vitest'
import {
  beginning,
  canonicalJson,
  chainHash,
  compareEnd,
  follow,
  isOurAnchor,
  isOurHead,
  type Link,
  rowText,
  signedAnchor,
  signedHead,
} from './chain.ts'
import type { AuditRow } from './records.ts'

const key = new Uint8Array(32).fill(9)

function chain(length: number, start: Link = beginning): AuditRow[] {
  const rows: AuditRow[] = []
  let last = start
  for (let i = 1; i <= length; i++) {
    const facts = { kind: 'pool_rotated', pool: 'p', from: 'a', to: 'b', reason: 'operator', actor: 'cli' } as const
    const row = { seq: start.seq + i, at: 1_000 * i, suppressed: 0, detail: { until: i }, ...facts }
    last = { seq: row.seq, hash: chainHash(last.hash, rowText(row)) }
    rows.push({ ...row, hash: last.hash })
  }
  return rows
}

describe('canonical JSON', () => {
  test.each<[string, unknown, string]>([
    [
      'sorts keys, also nested ones',
      { b: 1, a: { d: [1, { z: 0, y: 0 }], c: null } },
      '{"a":{"c":null,"d":[1,{"y":0,"z":0}]},"b":1}',
    ],
    ['sorts keys that look like numbers as text', { 9: 'nine', 10: 'ten' }, '{"10":"ten","9":"nine"}'],
    ['leaves out what is undefined', { a: undefined, b: 1 }, '{"b":1}'],
    ['writes what JSON cannot say as null', [undefined, Number.NaN], '[null,null]'],
    ['writes numbers and text as JSON does', { n: 1e21, t: 'ü"\n\u2028' }, '{"n":1e+21,"t":"ü\\"\\n\u2028"}'],
  ])('%s', (_name, value, expected) => {
    expect(canonicalJson(value)).toBe(expected)
  })

  test('is the same after a trip through JSON, so that a stored row hashes as it did when it was written', () => {
    const detail = { why: { 10: 'cooling', 9: 'parked' }, gone: undefined, at: -0, list: [undefined] }
    expect(canonicalJson(JSON.parse(canonicalJson(detail)))).toBe(canonicalJson(detail))
  })
})

describe('following a chain', () => {
  const rows = chain(5)
  const without = (seq: number) => rows.filter((row) => row.seq !== seq)
  const edited = (seq: number, change: Partial<AuditRow>) =>
    rows.map((row) => (row.seq === seq ? { ...row, ...change } : row))

  test('ends at the last row of a sound one', () => {
    expect(follow(beginning, rows)).toEqual({ last: { seq: 5, hash: rows[4]!.hash }, broken: null })
    const [first, ...rest] = rows
    expect(follow(first!, rest).broken).toBeNull()
  })

  test.each<[string, readonly AuditRow[], number, RegExp]>([
    ['the time of a row was changed', edited(3, { at: 1 }), 3, /row 3 was changed/],
    ['the kind of a row was changed', edited(3, { kind: 'cred_cooled' }), 3, /changed/],
    ['the pool of a row was changed', edited(1, { pool: null }), 1, /changed/],
    ['a member of a row was changed', edited(3, { from: 'x' }), 3, /changed/],
    ['the other member of a row was changed', edited(3, { to: null }), 3, /changed/],
    ['the reason of a row was changed', edited(3, { reason: 'quota' }), 3, /changed/],
    ['the actor of a row was changed', edited(3, { actor: 'x' }), 3, /changed/],
    ['the count of a row was changed', edited(3, { suppressed: 1 }), 3, /changed/],
    ['the details of a row were changed', edited(5, { detail: {} }), 5, /changed/],
    ['the hash of a row was changed', edited(2, { hash: 'f'.repeat(64) }), 2, /changed/],
    ['a row was removed', without(3), 3, /row 3 is missing/],
    ['the first row was removed', without(1), 1, /row 1 is missing/],
    [
      'two rows were swapped',
      [rows[0]!, { ...rows[2]!, seq: 2 }, { ...rows[1]!, seq: 3 }, rows[3]!, rows[4]!],
      2,
      /changed/,
    ],
    ['a row stands twice', [...rows.slice(0, 2), ...rows.slice(1)], 3, /missing/],
  ])('names the first bad row when %s', (_name, changed, seq, problem) => {
    expect(follow(beginning, changed).broken).toEqual({ seq, problem: expect.stringMatching(problem) })
  })

  test('is not fooled by a row whose hash was made to fit: the next one does not follow it', () => {
    const forged = { ...rows[2]!, actor: 'nobody' }
    const hash = chainHash(rows[1]!.hash, rowText(forged))
    expect(follow(beginning, edited(3, { actor: 'nobody', hash })).broken?.seq).toBe(4)
  })
})

describe('the end of a chain', () => {
  const head = { seq: 5, hash: 'h' }
  test.each<[string, Link, number | null]>([
    ['the head', { seq: 5, hash: 'h' }, null],
    ['a row before the head', { seq: 3, hash: 'x' }, 4],
    ['a row behind the head', { seq: 7, hash: 'x' }, 6],
    ['another row of that number', { seq: 5, hash: 'x' }, 5],
    ['nothing at all', beginning, 1],
  ])('is compared with the signed head: %s', (_name, last, seq) => {
    expect(compareEnd(last, head)?.seq ?? null).toBe(seq)
  })
})

describe('signatures of the ends', () => {
  const head = signedHead(key, { seq: 5, hash: 'h', bytes: 100 })
  const anchor = signedAnchor(key, { seq: 2, hash: 'g', bytes: 40, brokenSeq: null, problem: null })

  test('are ours', () => {
    expect(isOurHead(key, head)).toBe(true)
    expect(isOurAnchor(key, anchor)).toBe(true)
  })

  test.each([
    ['number', { seq: 4 }],
    ['hash', { hash: 'x' }],
    ['size', { bytes: 99 }],
    ['signature', { signature: anchor.signature }],
  ])('do not cover another %s of a head', (_name, change) => {
    expect(isOurHead(key, { ...head, ...change })).toBe(false)
  })

  test.each([
    ['number', { seq: 4 }],
    ['hash', { hash: 'x' }],
    ['size', { bytes: 99 }],
    ['verdict', { brokenSeq: 1, problem: 'row 1 is missing' }],
    ['signature', { signature: head.signature }],
  ])('do not cover another %s of an anchor', (_name, change) => {
    expect(isOurAnchor(key, { ...anchor, ...change })).toBe(false)
  })

  test('of another key are not ours', () => {
    expect(isOurHead(new Uint8Array(32), head)).toBe(false)
  })
})
