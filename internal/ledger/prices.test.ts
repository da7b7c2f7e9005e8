import { readFileSync } from 'node:fs'
import { describe, expect, it, test } from 'vitest'
import type { Tokens } from '../dialect/dialect.ts'
import { parsePrices } from './price-file.ts'
import { costOf, dollars, type Price, type PriceList, priceOf } from './prices.ts'

const listed = parsePrices(readFileSync(new URL('./prices.json', import.meta.url), 'utf8'))
const tokens = (change: Partial<Tokens> = {}): Tokens => ({
  input: 0,
  cached: 0,
  cacheWrite: 0,
  cacheWriteHour: 0,
  output: 0,
  reasoning: 0,
  ...change,
})

describe('the price of a model', () => {
  const price: Price = { providers: ['openai'], models: ['gpt-5'], input: 1, output: 2 }
  const list: PriceList = { date: '2026-11-30', prices: [price] }

  test.each([
    ['openai', 'gpt-5', true],
    ['openai', 'GPT-5', true],
    ['openai', 'gpt-5-2025-08-07', true],
    ['openai', 'gpt-5-20250807', true],
    ['openai', 'gpt-5@20250807', true],
    ['openai', 'gpt-5-latest', true],
    ['openai', 'gpt-5[1m]', true],
    ['openai', 'gpt-5-mini', false],
    ['openai', 'gpt-5.1', false],
    ['openai', '', false],
    ['azure', 'gpt-5', false],
  ])('of %s, %s is known: %s', (provider, model, known) => {
    expect(priceOf(list, provider, model)).toBe(known ? price : null)
  })
})

describe('what an answer costs', () => {
  const price: Price = {
    providers: [],
    models: [],
    input: 10,
    output: 50,
    cached: 1,
    cacheWrite: 12,
    cacheWriteHour: 20,
    long: { above: 1_000, input: 20, output: 75 },
  }

  test.each<[string, Partial<Tokens>, number]>([
    ['nothing', {}, 0],
    ['its input', { input: 1_000 }, 10_000],
    ['less for what was cached', { input: 1_000, cached: 900 }, 1_000 + 900],
    ['more for what was written into a cache', { input: 1_000, cacheWrite: 100 }, 9_000 + 1_200],
    ['more still for an hour', { input: 1_000, cacheWrite: 100, cacheWriteHour: 60 }, 9_000 + 480 + 1_200],
    ['its output, reasoning included and not twice', { output: 10, reasoning: 9 }, 500],
    ['other rates above a length', { input: 1_001, output: 2 }, 20_020 + 150],
    ['what input costs for what has no price of its own', { input: 2_000, cached: 500, cacheWrite: 500 }, 40_000],
    ['never less than nothing', { input: 10, cached: 10, cacheWrite: 10 }, 10 + 120],
  ])('is %s', (_name, told, millionths) => {
    expect(costOf(price, tokens(told))).toBe(millionths * 1_000)
  })

  it('is shown in dollars, to the millionth', () => {
    expect(dollars(1_234_567_891)).toBe(1.234568)
  })
})

describe('the list', () => {
  it('names each model of a provider once', () => {
    const names = listed.prices.flatMap(({ providers, models }) =>
      models.flatMap((model) => providers.map((each) => `${each} ${model}`)),
    )
    expect(new Set(names).size).toBe(names.length)
  })

  it('never asks more for what was cached, nor less for a long request', () => {
    for (const { input, output, cached = 0, long } of listed.prices) {
      expect(cached).toBeLessThanOrEqual(input)
      expect(long?.input ?? input).toBeGreaterThanOrEqual(input)
      expect(long?.output ?? output).toBeGreaterThanOrEqual(output)
    }
  })

  it('knows the models that agents ask for first', () => {
    for (const [provider, model] of [
      ['anthropic', 'claude-opus-5-5'],
      ['anthropic', 'claude-sonnet-4-5-20250929'],
      ['codex', 'gpt-5-codex'],
      ['openai', 'gpt-4o-mini-2024-07-18'],
      ['gemini', 'gemini-2.5-pro'],
    ] as const)
      expect(priceOf(listed, provider, model)).not.toBeNull()
  })
})

test.each([
  ['{', /JSON/],
  ['{"date":"today","prices":[]}', /date: expected a day/],
  [
    '{"date":"2026-01-01","prices":[{"providers":["openai"],"models":["m"],"input":-1,"output":1}]}',
    /prices\.0\.input/,
  ],
  ['{"date":"2026-01-01","prices":[],"more":1}', /the file: .*more/],
])('a file %s is refused with what is wrong', (text, why) => {
  expect(() => parsePrices(text)).toThrow(why)
})
