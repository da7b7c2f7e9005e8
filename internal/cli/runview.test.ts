import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Ending } from '../guard/guard.ts'
import type { CheckShape, ClaimShape } from '../ops/ops.ts'
import { conclusionOf, noteText, startHint } from './runview.ts'

const now = Date.UTC(2026, 0, 5, 14, 0, 0)
const check: CheckShape = {
  pool: 'openai',
  running: true,
  verdict: 'needs-person',
  member: null,
  retryAt: null,
  dryAt: null,
  host: null,
  since: null,
  people: [],
}
const claim: ClaimShape = {
  job: 'nightly',
  lease: null,
  why: 'waiting',
  holder: null,
  until: '2026-01-05T14:05:00.000Z',
  leaseMs: 90_000,
  failures: 4,
  infra: 0,
}

let zone: string | undefined
beforeEach(() => {
  zone = process.env.TZ
  process.env.TZ = 'UTC'
})
afterEach(() => {
  if (zone === undefined) delete process.env.TZ
  else process.env.TZ = zone
})

const lapsed = {
  member: 'a',
  state: 'needs-login',
  reason: 'refresh-rejected',
  command: 'spillway cred login a',
} as const

describe('a run ends with one line and an exit code', () => {
  test.each<[string, Exclude<Ending, { kind: 'no-daemon' }>, number, string | null]>([
    ['a success says nothing', { kind: 'exited', why: 'succeeded', code: 0, attempts: 2 }, 0, null],
    ['a stop says nothing', { kind: 'exited', why: 'stopped', code: 143, attempts: 1 }, 143, null],
    ['one failed attempt speaks for itself', { kind: 'exited', why: 'retries-used-up', code: 3, attempts: 1 }, 3, null],
    [
      'used-up retries',
      { kind: 'exited', why: 'retries-used-up', code: 3, attempts: 4 },
      3,
      'run: gave up after 4 attempts (exit 3)',
    ],
    [
      'a job that was taken over',
      { kind: 'exited', why: 'taken-over', code: 1, attempts: 1 },
      1,
      'run: not retried: another run has taken the job over',
    ],
    [
      'no such command',
      { kind: 'exited', why: 'cannot-start', code: 127, attempts: 1 },
      127,
      'run: the command was not found',
    ],
    [
      'no program',
      { kind: 'exited', why: 'cannot-start', code: 126, attempts: 1 },
      126,
      'run: the command cannot be executed',
    ],
    [
      'a lapsed login, with what to type',
      {
        kind: 'halted',
        why: 'session-expired',
        attempts: 0,
        check: { ...check, people: [lapsed] },
      },
      77,
      'run: halted (session expired): openai needs a person: a needs a login; spillway cred login a',
    ],
    [
      'a secret that cannot be read',
      {
        kind: 'halted',
        why: 'unreadable',
        attempts: 0,
        check: {
          ...check,
          people: [{ ...lapsed, state: 'unreadable', reason: 'unreadable', command: 'spillway cred show a' }],
        },
      },
      77,
      'run: halted (secret cannot be read): openai needs a person: the secret of a cannot be read; spillway cred show a',
    ],
    [
      'a pool without members',
      { kind: 'halted', why: 'empty', attempts: 0, check },
      77,
      'run: halted (no members): openai needs a person: it has no members',
    ],
    [
      'a pool that cools, with when it recovers',
      {
        kind: 'halted',
        why: 'exhausted',
        attempts: 1,
        check: {
          ...check,
          verdict: 'cooling',
          member: 'b',
          retryAt: '2026-01-05T14:05:00.000Z',
          people: [lapsed],
        },
      },
      75,
      'run: halted (exhausted): openai is cooling: b recovers first, at 14:05:00 UTC (in 5 min)',
    ],
    [
      'trouble with what it runs on',
      { kind: 'cooled', why: 'folder-hung', waitMs: 60_000, attempts: 0 },
      75,
      'run: cooling (infrastructure): the working folder does not answer; try again in 60 s',
    ],
    [
      'a job that waits after failures',
      { kind: 'refused', claim },
      75,
      'run: waiting: nightly may be attempted again at 14:05:00 (4 failures in a row)',
    ],
    [
      'a job that waits after trouble',
      { kind: 'refused', claim: { ...claim, failures: 0, infra: 2 } },
      75,
      'run: waiting: nightly may be attempted again at 14:05:00 (infrastructure)',
    ],
    [
      'a job that is running',
      { kind: 'refused', claim: { ...claim, why: 'running', holder: 'pid 7 on host' } },
      75,
      'run: running: nightly is being run by pid 7 on host',
    ],
  ])('%s', (_name, ending, code, line) => {
    expect(conclusionOf(ending, now)).toEqual({ code, line })
  })
})

test.each([
  [{ how: 'exit', code: 3 } as const, 'run: attempt failed (exit 3); next one in 5 s (2 left)'],
  [{ how: 'signal', signal: 'SIGKILL' } as const, 'run: attempt failed (SIGKILL); next one in 5 s (2 left)'],
])('a retry after %j is announced', (ended, line) => {
  expect(noteText({ kind: 'retrying', ended, waitMs: 5_000, retriesLeft: 2 }, now)).toBe(line)
})

test('a wait for a pool is announced with its end', () => {
  const cooling: CheckShape = { ...check, verdict: 'cooling', member: 'work', retryAt: '2026-01-05T14:05:00.000Z' }
  expect(noteText({ kind: 'waiting', check: cooling }, now)).toBe(
    'run: waiting: openai is cooling: work recovers first, at 14:05:00 UTC (in 5 min); Ctrl-C ends it',
  )
})

test('what could not be noted is said with its reason', () => {
  expect(noteText({ kind: 'unnoted', error: new Error('the disk is full') }, now)).toBe(
    'run: the job could not be noted: the disk is full',
  )
})

test.each([
  ['agent', 'hint: it is agent, looked for on the PATH'],
  ['./agent', 'hint: it is ./agent, looked for there'],
  ['sh -c "echo hi"', 'hint: "sh -c \\"echo hi\\"" is one word here: leave out the quotes, or write sh -c before it'],
])('a program that cannot be started is named: %s', (name, hint) => {
  expect(startHint(name)).toBe(hint)
})
