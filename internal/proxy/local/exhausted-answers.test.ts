import { expect, it } from 'vitest'
import { dialectOf } from '../../dialect/dialect.ts'
import type { Exhausted } from '../../engine/engine.ts'
import { prepared } from './answer.ts'
import { type ClientFacts, ExhaustedAnswers } from './exhausted-answers.ts'

const now = Date.UTC(2026, 0, 5, 14, 0, 0)
const cooling: Exhausted = {
  kind: 'exhausted',
  members: 2,
  retryAt: now + 90_500,
  needsPerson: false,
  first: 'a',
  remedy: null,
}

const openai: ClientFacts = { dialect: dialectOf('openai'), client: 'heeds-429' }
const anthropic: ClientFacts = { dialect: dialectOf('anthropic'), client: 'heeds-429' }

it('says at any time what the dialect would say', () => {
  const exhaustedAnswers = new ExhaustedAnswers()
  for (let after = 0; after < 95_000; after += 250) {
    const fresh = prepared(
      dialectOf('openai').exhausted({ pool: 'p', ...cooling, remedy: null }, now + after, 'heeds-429'),
    )
    expect(exhaustedAnswers.answer(openai, 'p', cooling, now + after)).toEqual(fresh)
  }
})

it('is made anew when another member is the first, more are in the pool, or only a person helps', () => {
  const exhaustedAnswers = new ExhaustedAnswers()
  const person = { retryAt: null, remedy: { verb: 'login', name: 'a' } as const }
  for (const change of [{}, { first: 'b' }, { members: 3 }, person, {}]) {
    const decision = { ...cooling, ...change }
    const remedy = decision.remedy && 'spillway cred login a'
    const fresh = prepared(dialectOf('anthropic').exhausted({ pool: 'p', ...decision, remedy }, now, 'heeds-429'))
    expect(exhaustedAnswers.answer(anthropic, 'p', decision, now)).toEqual(fresh)
  }
})

it('is the same object for a crowd', () => {
  const exhaustedAnswers = new ExhaustedAnswers()
  const first = exhaustedAnswers.answer(openai, 'p', cooling, now)
  expect(exhaustedAnswers.answer(openai, 'p', { ...cooling }, now + 400)).toBe(first)
  expect(exhaustedAnswers.answer(openai, 'p', { ...cooling }, now + 600)).not.toBe(first)
})

it('is another one for each kind of client, and each crowd keeps its own', () => {
  const exhaustedAnswers = new ExhaustedAnswers()
  const payment: ClientFacts = { ...openai, client: 'heeds-402' }
  const first = exhaustedAnswers.answer(openai, 'p', cooling, now)
  const second = exhaustedAnswers.answer(payment, 'p', cooling, now)
  expect([first.status, second.status]).toEqual([429, 402])
  expect(exhaustedAnswers.answer(openai, 'p', cooling, now)).toBe(first)
  expect(exhaustedAnswers.answer(payment, 'p', cooling, now)).toBe(second)
})
