import { describe, expect, test } from 'vitest'
import type { Outcome, OutcomeKind } from '../../pool/pool.ts'
import { isStrongRefusal, nextStep, type Progress, RetryBudget } from './replay.ts'

const first: Progress = {
  members: 1,
  attempts: 1,
  strong: false,
  unreachable: 0,
  failovers: 0,
  buffered: true,
  overloadedBefore: false,
  renewed: false,
  rejectedBefore: false,
}
const second: Progress = { ...first, members: 2, attempts: 2, failovers: 1 }
const third: Progress = { ...first, members: 3, attempts: 3, failovers: 2 }
/** Past many members that are used up. */
const strong: Progress = { ...first, members: 19, attempts: 1, strong: true }

function outcome(kind: OutcomeKind): Outcome {
  return {
    kind,
    reason: 'ok',
    status: null,
    evidence: 'strong',
    scope: 'member',
    model: null,
    until: null,
    forMs: null,
    cools: true,
  }
}

const pass = { do: 'pass', again: false }
const passRetryable = { do: 'pass', again: true }
const free = { do: 'next', free: true }
const paid = { do: 'next', free: false }
const renew = { do: 'renew' }
const ask = { do: 'ask', free: false }

describe('the step after an attempt', () => {
  test.each<[string, OutcomeKind, Progress, object]>([
    ['a success goes to the client', 'success', first, pass],
    ["the client's own fault goes to the client", 'request-fault', first, pass],
    ['a blocked egress goes to the client', 'egress-blocked', first, pass],
    ['500, 502, 504, a reset or a timeout is never replayed', 'upstream-error', first, pass],
    ['a client that left gets nothing', 'client-gone', first, pass],
    ['a rate limit moves to another member, the first time for free', 'rate-limited', first, free],
    ['a second rate limit has to be paid', 'rate-limited', second, paid],
    ['a third rate limit is passed on for now', 'rate-limited', third, passRetryable],
    ['a strong refusal moves on, however many there were', 'quota-exhausted', strong, free],
    ['a strong refusal after two failures costs nothing', 'rate-limited', { ...third, strong: true }, free],
    ['a failure after strong refusals is the first', 'rate-limited', { ...strong, strong: false }, free],
    ['the twentieth member is the last', 'quota-exhausted', { ...strong, members: 20 }, passRetryable],
    ['a strong refusal of a streamed body', 'quota-exhausted', { ...strong, buffered: false }, passRetryable],
    [
      'a strong rejection asks for free',
      'auth-rejected',
      { ...strong, rejectedBefore: true },
      { do: 'ask', free: true },
    ],
    ['a used-up quota moves to another member', 'quota-exhausted', first, free],
    ['nothing is replayed when the body was streamed', 'rate-limited', { ...first, buffered: false }, passRetryable],
    ['a rejected key moves to another member', 'auth-rejected', first, free],
    ['a second rejected key asks for the first one', 'auth-rejected', { ...second, rejectedBefore: true }, ask],
    ['a rejected key after a rate limit moves on', 'auth-rejected', second, paid],
    ['a missing secret for a streamed body', 'auth-rejected', { ...first, buffered: false }, passRetryable],
    ['a third rejected key is passed on', 'auth-rejected', { ...third, rejectedBefore: true }, passRetryable],
    ['an expired token is renewed first', 'auth-expired', first, renew],
    [
      'a token that expired again moves to another member',
      'auth-expired',
      { ...first, attempts: 2, renewed: true },
      free,
    ],
    ['an expired token of a streamed body is passed on', 'auth-expired', { ...first, buffered: false }, passRetryable],
    ['an expired token at the last attempt is passed on', 'auth-expired', third, passRetryable],
    ['an overload is replayed', 'overloaded', first, free],
    ['a second overload is passed on', 'overloaded', { ...second, overloadedBefore: true }, pass],
    ['an unreachable upstream is tried with another member', 'infra', { ...first, unreachable: 1 }, free],
    ['a second unreachable upstream is enough', 'infra', { ...second, unreachable: 2 }, pass],
    ['an unreachable upstream after a rate limit may be tried once more', 'infra', { ...second, unreachable: 1 }, paid],
  ])('%s', (_name, kind, progress, step) => {
    expect(nextStep(outcome(kind), progress, 3)).toEqual(step)
  })

  test('with one attempt allowed nothing is replayed', () => {
    expect(nextStep(outcome('rate-limited'), first, 1)).toEqual(passRetryable)
    expect(nextStep(outcome('rate-limited'), { ...first, strong: true }, 1)).toEqual(passRetryable)
  })

  test('F17: a rejected key of a streamed body is passed on as it is', () => {
    const rejection = { ...outcome('auth-rejected'), status: 401 }
    expect(nextStep(rejection, { ...first, buffered: false }, 3)).toEqual(pass)
  })
})

describe('a strong refusal', () => {
  const quota = outcome('quota-exhausted')
  test.each<[string, Outcome, string | null, number, boolean]>([
    ['is a used-up window', quota, null, 0, true],
    ['is a limit', outcome('rate-limited'), null, 9_999, true],
    ['is a rejected key', outcome('auth-rejected'), null, 0, true],
    ['is none after ten seconds', quota, null, 10_000, false],
    ['is no bare 429', { ...outcome('rate-limited'), evidence: 'weak' }, null, 0, false],
    ['is no burst that cools nobody', { ...outcome('rate-limited'), cools: false }, null, 0, false],
    ['is no overload', outcome('overloaded'), null, 0, false],
    ['is no unreachable host', outcome('infra'), null, 0, false],
    ['is a limit of the model that the request names', { ...quota, scope: 'model' }, 'gpt-5', 0, true],
    ['is a limit of the model that the upstream names', { ...quota, scope: 'model', model: 'gpt-5' }, null, 0, true],
    ['is no limit of a model that nobody names', { ...quota, scope: 'model' }, null, 0, false],
  ])('%s', (_name, of, model, elapsedMs, is) => {
    expect(isStrongRefusal(of, model, elapsedMs)).toBe(is)
  })
})

describe('the retry budget', () => {
  const settings = { ratio: 0.1, perSecond: 10 }

  function spendAll(budget: RetryBudget): number {
    let spent = 0
    while (budget.spend()) spent++
    return spent
  }

  test('begins with what ten seconds give, and no more gathers while nobody retries', () => {
    let now = 0
    const budget = new RetryBudget(settings, () => now)
    expect(spendAll(budget)).toBe(100)
    now += 3_600_000
    expect(spendAll(budget)).toBe(100)
  })

  test('gives ten more per second', () => {
    let now = 0
    const budget = new RetryBudget(settings, () => now)
    spendAll(budget)
    now += 1_500
    expect(spendAll(budget)).toBe(15)
  })

  test('gives one more per ten requests', () => {
    const budget = new RetryBudget(settings, () => 0)
    spendAll(budget)
    for (let request = 0; request < 55; request++) budget.earn()
    expect(spendAll(budget)).toBe(5)
  })

  test('gives nothing when it is configured to give nothing', () => {
    const budget = new RetryBudget({ ratio: 0, perSecond: 0 }, () => 0)
    for (let request = 0; request < 100; request++) budget.earn()
    expect(budget.spend()).toBe(false)
  })

  test('follows a change of its settings', () => {
    const budget = new RetryBudget({ ratio: 0, perSecond: 0 }, () => 0)
    budget.settings = { ratio: 1, perSecond: 0 }
    budget.earn()
    expect(budget.spend()).toBe(true)
  })
})
