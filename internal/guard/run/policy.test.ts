import { describe, expect, test } from 'vitest'
import type { CheckShape } from '../../ops/ops.ts'
import { type Decision, decide, type Facts, type HaltReason, haltReason, infraBackoff, resetWaitMs } from './policy.ts'

const serving: CheckShape = {
  pool: 'openai',
  running: true,
  verdict: 'can-serve',
  member: 'a',
  retryAt: null,
  dryAt: null,
  host: null,
  since: null,
  people: [],
}
const cooling: CheckShape = { ...serving, verdict: 'cooling', retryAt: '2026-01-05T14:05:00.000Z' }
const lapsed: CheckShape = {
  ...serving,
  verdict: 'needs-person',
  member: null,
  people: [
    { member: 'b', state: 'disabled', reason: 'operator', command: 'spillway cred enable b' },
    { member: 'a', state: 'needs-login', reason: 'refresh-rejected', command: 'spillway cred login a' },
  ],
}
const disabled: CheckShape = { ...lapsed, people: lapsed.people.slice(0, 1) }
const unreadable: CheckShape = {
  ...lapsed,
  people: [{ member: 'a', state: 'unreadable', reason: 'unreadable', command: 'spillway cred show a' }],
}
const unreachable: CheckShape = { ...cooling, verdict: 'unreachable', member: null, host: 'api.openai.com' }
const empty: CheckShape = { ...lapsed, people: [] }

/** A first attempt of an agent that failed by itself, while the pool can serve. */
const facts: Facts = {
  ended: { how: 'exit', code: 1 },
  stopped: false,
  takenOver: false,
  pool: serving,
  type: 'agent',
  tally: { failures: 0, infra: 0 },
  retriesLeft: 3,
  backoff: { firstMs: 1_000, maxMs: 300_000 },
  random: 0.5,
}

describe('a pool that is waited for', () => {
  const now = Date.parse('2026-01-05T14:00:00.000Z')
  const at = (seconds: number) => new Date(now + seconds * 1_000).toISOString()
  test.each<[string, CheckShape | 'silent', number | null]>([
    ['that cools is asked again when it is back', { ...cooling, retryAt: at(20) }, 20_000],
    ['that is away for long is asked every minute: it may come back early', { ...cooling, retryAt: at(7_200) }, 60_000],
    ['that should be back is asked every second', { ...cooling, retryAt: at(-5) }, 1_000],
    ['whose upstream is down is waited for, too', { ...unreachable, retryAt: at(4) }, 4_000],
    ['that says nothing is asked every minute', 'silent', 60_000],
    ['that serves is not', serving, null],
    ['that needs a person is not', lapsed, null],
    ['that names no time is not', { ...cooling, retryAt: null }, null],
  ])('%s', (_name, pool, ms) => {
    expect(resetWaitMs(pool, now)).toBe(ms)
  })
})

describe('the pool forbids', () => {
  test.each<[string, CheckShape, HaltReason | null]>([
    ['nothing while somebody serves', serving, null],
    ['nothing because one of several needs a login', { ...serving, people: lapsed.people }, null],
    ['an agent while all cool', cooling, 'exhausted'],
    ['an agent when a login lapsed', lapsed, 'session-expired'],
    ['an agent when no secret can be read', unreadable, 'unreadable'],
    ['an agent when the upstream is down', unreachable, 'unreachable'],
    ['an agent when all are disabled', disabled, 'disabled'],
    ['an agent when there are no members', empty, 'empty'],
  ])('%s', (_name, pool, reason) => {
    expect(haltReason(pool, 'agent')).toBe(reason)
    expect(haltReason(pool, 'shell')).toBeNull()
  })
})

describe('after an attempt', () => {
  test.each<[string, Partial<Facts>, Partial<Decision>]>([
    [
      'a success forgets all failures',
      { ended: { how: 'exit', code: 0 }, pool: null, tally: { failures: 5, infra: 2 } },
      { kind: 'finish', why: 'succeeded', tally: { failures: 0, infra: 0 }, waitMs: 0 },
    ],
    [
      'a success counts although the run was told to stop',
      { ended: { how: 'exit', code: 0 }, stopped: true },
      { kind: 'finish', why: 'succeeded' },
    ],
    ['an ordinary failure is retried', {}, { kind: 'retry', tally: { failures: 1, infra: 0 }, waitMs: 500 }],
    [
      'a death by signal is an ordinary failure',
      { ended: { how: 'signal', signal: 'SIGKILL' } },
      { kind: 'retry', waitMs: 500 },
    ],
    [
      'the wait doubles with each failure in a row, also of earlier runs',
      { tally: { failures: 4, infra: 0 } },
      { kind: 'retry', tally: { failures: 5, infra: 0 }, waitMs: 8_000 },
    ],
    [
      'the wait has a bound',
      { tally: { failures: 5_000, infra: 0 }, random: 0.999999 },
      { kind: 'retry', waitMs: 299_999 },
    ],
    ['the jitter is full: chance may say at once', { random: 0 }, { kind: 'retry', waitMs: 0 }],
    [
      'an ordinary failure shows that what it runs on is well',
      { tally: { failures: 0, infra: 3 } },
      { kind: 'retry', tally: { failures: 1, infra: 0 } },
    ],
    [
      'the last retry leaves the longest wait to the next run',
      { retriesLeft: 0, tally: { failures: 3, infra: 0 } },
      { kind: 'finish', why: 'retries-used-up', tally: { failures: 4, infra: 0 }, waitMs: 8_000 },
    ],
    ['a lapsed login halts', { pool: lapsed }, { kind: 'halt', why: 'session-expired', tally: facts.tally, waitMs: 0 }],
    [
      'a lapsed login halts although no retry was left: nothing was used up',
      { pool: lapsed, retriesLeft: 0 },
      { kind: 'halt', why: 'session-expired' },
    ],
    ['an exhausted pool halts', { pool: cooling }, { kind: 'halt', why: 'exhausted', check: cooling }],
    ['a pool of disabled members halts', { pool: disabled }, { kind: 'halt', why: 'disabled' }],
    ['a shell job is retried whatever the pool says', { pool: lapsed, type: 'shell' }, { kind: 'retry', waitMs: 500 }],
    [
      'a shell job uses up its retries whatever the pool says',
      { pool: cooling, type: 'shell', retriesLeft: 0 },
      { kind: 'finish', why: 'retries-used-up' },
    ],
    ['a shell job needs nobody to ask', { pool: 'silent', type: 'shell' }, { kind: 'retry' }],
    [
      'nobody to ask is trouble that costs no retry',
      { pool: 'silent' },
      { kind: 'cool', why: 'daemon-silent', tally: { failures: 0, infra: 1 }, waitMs: infraBackoff.firstMs },
    ],
    [
      'infrastructure cools the job and costs no retry, whatever the pool says',
      { ended: { how: 'infra', trouble: 'folder-hung' }, pool: lapsed, tally: { failures: 2, infra: 2 } },
      { kind: 'cool', why: 'folder-hung', tally: { failures: 2, infra: 3 }, waitMs: 120_000 },
    ],
    [
      'infrastructure cools a shell job as well',
      { ended: { how: 'infra', trouble: 'io-error' }, type: 'shell', retriesLeft: 0 },
      { kind: 'cool', why: 'io-error' },
    ],
    [
      'the cooling of infrastructure has a bound',
      { ended: { how: 'infra', trouble: 'io-error' }, tally: { failures: 0, infra: 900 } },
      { kind: 'cool', waitMs: infraBackoff.maxMs },
    ],
    [
      'who was told to stop does not retry, and the failure does not count',
      { ended: { how: 'signal', signal: 'SIGTERM' }, stopped: true, tally: { failures: 1, infra: 0 } },
      { kind: 'finish', why: 'stopped', tally: { failures: 1, infra: 0 }, waitMs: 0 },
    ],
    [
      'what is not there is not tried again, and the next run waits',
      { ended: { how: 'not-found' }, tally: { failures: 1, infra: 0 } },
      { kind: 'finish', why: 'cannot-start', tally: { failures: 2, infra: 0 }, waitMs: 2_000 },
    ],
    ['what cannot be executed is not tried again', { ended: { how: 'not-executable' } }, { why: 'cannot-start' }],
    [
      'a job that has been taken over is left to the other run',
      { takenOver: true },
      { kind: 'finish', why: 'taken-over', tally: facts.tally },
    ],
  ])('%s', (_name, given, expected) => {
    expect(decide({ ...facts, ...given })).toMatchObject(expected)
  })
})
