import { describe, expect, it, test } from 'vitest'
import type { Tokens } from '../dialect/dialect.ts'
import { Accounts, hourMs, modelName } from './accounts.ts'

const tokens: Tokens = { input: 10, cached: 6, cacheWrite: 2, cacheWriteHour: 1, output: 5, reasoning: 3 }
const entry = { pool: 'p', key: 'k', member: 'm', model: 'gpt-5' }
const priced = { tokens, cost: 7 }
const at = 1_767_621_600_000

describe('accounts', () => {
  it('add up what is the same, in a row of the hour', () => {
    const accounts = new Accounts('w')
    accounts.add(entry, priced, at + 1)
    accounts.add(entry, { tokens, cost: null }, at + 2)
    accounts.add(entry, { tokens: null, cost: null }, at + hourMs - 1)
    accounts.add({ ...entry, model: null }, priced, at + 3)
    const names = { writer: 'w', pool: 'p', key: 'k', member: 'm', hour: at }
    expect(accounts.unwritten(9)).toEqual([
      {
        ...names,
        model: 'gpt-5',
        requests: 3,
        unmetered: 1,
        unpriced: 1,
        input: 20,
        cached: 12,
        cacheWrite: 4,
        output: 10,
        reasoning: 6,
        cost: 7,
      },
      expect.objectContaining({ ...names, model: '', requests: 1, cost: 7 }),
    ])
  })

  it('tell what has grown since it was written, and no more', () => {
    const accounts = new Accounts('w')
    accounts.add(entry, priced, at)
    accounts.add({ ...entry, key: 'other' }, priced, at)
    const first = accounts.unwritten(1)
    accounts.add(entry, priced, at)
    accounts.wrote(first)
    expect(accounts.unwritten(9).map(({ key, requests }) => [key, requests])).toEqual([
      ['k', 2],
      ['other', 1],
    ])
    accounts.wrote(accounts.unwritten(9))
    expect(accounts.unwritten(9)).toEqual([])
  })

  it('keep an hour that is over until it is written, and never go back to it', () => {
    const accounts = new Accounts('w')
    accounts.add(entry, priced, at)
    accounts.add(entry, priced, at + hourMs)
    accounts.add(entry, priced, at)
    const rows = accounts.unwritten(9)
    expect(rows.map(({ hour, requests }) => [hour, requests])).toEqual([
      [at, 1],
      [at + hourMs, 2],
    ])
    accounts.wrote(rows)
    expect(accounts.unwritten(9)).toEqual([])
  })

  it('put the models that are too many in an hour together, whatever clients ask for', () => {
    const accounts = new Accounts('w')
    for (let model = 0; model < 1_000; model++) accounts.add({ ...entry, model: `m${model}` }, priced, at)
    const rows = accounts.unwritten(1_000)
    expect(rows).toHaveLength(201)
    expect(rows.at(-1)).toMatchObject({ key: 'k', model: 'other', requests: 800 })
  })

  it('have a bound on their rows, and lose no request to it', () => {
    const accounts = new Accounts('w')
    for (let key = 0; key < 10_500; key++) accounts.add({ ...entry, key: `k${key}` }, priced, at)
    const rows = accounts.unwritten(20_000)
    expect(rows).toHaveLength(10_001)
    expect(rows.at(-1)).toMatchObject({ pool: 'other', key: 'other', member: 'other', model: 'other', requests: 500 })
  })

  it('forget the oldest when nothing can be written for hours', () => {
    const accounts = new Accounts('w')
    for (let hour = 0; hour < 5; hour++)
      for (let key = 0; key < 9_000; key++) accounts.add({ ...entry, key: `k${key}` }, priced, at + hour * hourMs)
    const rows = accounts.unwritten(100_000)
    expect(rows).toHaveLength(39_000)
    expect(rows[0]?.hour).toBe(at)
    expect(rows.filter(({ hour }) => hour === at)).toHaveLength(3_000)
  })
})

test.each([
  ['gpt-5', 'gpt-5'],
  ['openrouter/anthropic:free', 'openrouter/anthropic:free'],
  ['claude-opus-5[1m]', 'claude-opus-5[1m]'],
  [null, ''],
  ['', ''],
  ['a\nb', 'other'],
  ['<script>', 'other'],
  ['x'.repeat(101), 'other'],
])('a model %j is kept as %j', (model, name) => {
  expect(modelName(model)).toBe(name)
})
