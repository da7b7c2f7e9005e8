import { expect, it } from 'vitest'
import { dialectOf } from '../../dialect/dialect.ts'
import type { Exhausted } from '../../engine/engine.ts'
import { prepared } from './answer.ts'
import { type Hearer, Refusals } from './exhausted-answers.ts'

const now = Date.UTC(2026, 0, 5, 14, 0, 0)
const cooling: Exhausted = {
  kind: 'exhausted',
  members: 2,
  retryAt: now + 90_500,
  needsPerson: false,
  first: 'a',
  remedy: null,
}

const openai: Hearer = { dialect: dialectOf('openai'), client: 'heeds-429' }
const anthropic: Hearer = { dialect: dialectOf('anthropic'), client: 'heeds-429' }

it('says at any time what the dialect would say', () => {
  const refusals = new Refusals()
  for (let after = 0; after < 95_000; after += 250) {
    const fresh = prepared(
      dialectOf('openai').exhausted({ pool: 'p', ...cooling, remedy: null }, now + after, 'heeds-429'),
    )
    expect(refusals.answer(openai, 'p', cooling, now + after)).toEqual(fresh)
  }
})

it('is made anew when another member is the first, more are in the pool, or only a person helps', () => {
  const refusals = new Refusals()
  const person = { retryAt: null, remedy: { verb: 'login', name: 'a' } as const }
  for (const change of [{}, { first: 'b' }, { members: 3 }, person, {}]) {
    const decision = { ...cooling, ...change }
    const remedy = decision.remedy && 'spillway cred login a'
    const fresh = prepared(dialectOf('anthropic').exhausted({ pool: 'p', ...decision, remedy }, now, 'heeds-429'))
    expect(refusals.answer(anthropic, 'p', decision, now)).toEqual(fresh)
  }
})

it('is the same object for a crowd', () => {
  const refusals = new Refusals()
  const first = refusals.answer(openai, 'p', cooling, now)
  expect(refusals.answer(openai, 'p', { ...cooling }, now + 400)).toBe(first)
  expect(refusals.answer(openai, 'p', { ...cooling }, now + 600)).not.toBe(first)
})

it('is another one for each kind of client, and each crowd keeps its own', () => {
  const refusals = new Refusals()
  const payment: Hearer = { ...openai, client: 'heeds-402' }
  const first = refusals.answer(openai, 'p', cooling, now)
  const second = refusals.answer(payment, 'p', cooling, now)
  expect([first.status, second.status]).toEqual([429, 402])
  expect(refusals.answer(openai, 'p', cooling, now)).toBe(first)
  expect(refusals.answer(payment, 'p', cooling, now)).toBe(second)
})
