import { GrammyError, HttpError } from 'grammy'
import { describe, expect, it } from 'vitest'
import type { AuditShape, MemberShape, PoolShape } from '../ops/ops.ts'
import { inUtc } from '../when/when.ts'
import { channelError, failure } from './api.ts'
import { Buttons } from './buttons.ts'
import { auditText, deedsFor, poolText } from './describe.ts'
import { answer, codeIn, lengthOf, message } from './text.ts'

const now = Date.UTC(2026, 0, 5, 14, 0, 0)
const today = { now, instant: inUtc }

describe('limits of the Bot API', () => {
  it('cut a message at 4096 characters, never within a surrogate pair', () => {
    expect(message('x'.repeat(4_096))).toHaveLength(4_096)
    expect(message('x'.repeat(4_097))).toBe(`${'x'.repeat(4_095)}…`)
    const cut = message(`${'x'.repeat(4_094)}😀😀`)
    expect(cut).toBe(`${'x'.repeat(4_094)}…`)
  })

  it('cut the answer to a button to its first line and 200 characters', () => {
    expect(answer('one\ntwo')).toBe('one')
    expect(answer('y'.repeat(300))).toHaveLength(200)
  })
})

describe('lengths of time', () => {
  it.each([
    ['90s', 90_000],
    ['30m', 1_800_000],
    ['1H', 3_600_000],
    ['1h30m', 5_400_000],
    ['2d', 172_800_000],
    ['0s', null],
    ['1', null],
    ['-1h', null],
    ['1h ', null],
    ['soon', null],
    ['', null],
  ])('%j', (text, ms) => {
    expect(lengthOf(text)).toBe(ms)
  })
})

function member(name: string, more: Partial<MemberShape> = {}): MemberShape {
  return {
    name,
    position: 1,
    weight: 1,
    tier: 1,
    maxInFlight: null,
    caps: {},
    cappedUntil: null,
    domain: null,
    host: 'api.openai.com',
    reachable: true,
    health: { state: 'healthy', reason: null, since: null, until: null, by: null },
    park: null,
    active: false,
    inFlight: 0,
    lastUsedAt: null,
    requests: 0,
    failures: 0,
    scoped: [],
    usage: [],
    command: null,
    ...more,
  }
}

const unforeseen: PoolShape['forecast'] = {
  name: 'openai',
  at: '2026-01-05T14:00:00.000Z',
  state: 'unknown',
  dryAt: null,
  reliefAt: null,
  reliefMember: null,
  until: null,
  burnPercentPerHour: null,
  basis: { fromAt: null, samples: 0 },
  keys: [],
}

function pool(members: MemberShape[]): PoolShape {
  return {
    name: 'openai',
    provider: 'openai',
    shape: 'openai',
    strategy: 'sticky',
    upstream: null,
    maxWaitMs: null,
    onExhausted: null,
    preemptAt: null,
    affinity: null,
    probePath: null,
    active: members[0]?.name ?? null,
    exhausted: false,
    retryAt: null,
    unreachable: null,
    activeFor: [],
    cachedShare: null,
    forecast: unforeseen,
    members,
  }
}

describe('code', () => {
  it.each([
    ['Run: spillway status\n— node7', 'spillway status', [{ type: 'code', offset: 5, length: 15 }]],
    ['x is x. Run: x', 'x', [{ type: 'code', offset: 13, length: 1 }]],
    ['😀 Run: spillway status', 'spillway status', [{ type: 'code', offset: 8, length: 15 }]],
    ['cut off: spillway sta…', 'spillway status', undefined],
    ['nothing to type', null, undefined],
  ])('in %j', (text, command, entities) => {
    expect(codeIn(text, command).entities).toEqual(entities)
  })
})

describe('what is shown', () => {
  it('of a huge pool fits into one message', () => {
    const huge = pool(Array.from({ length: 10_000 }, (_, at) => member(`member-${at}`)))
    const lines = poolText(huge, today).split('\n')
    expect(lines).toHaveLength(42)
    expect(lines.at(-1)).toBe('and 9960 more')
    expect(
      deedsFor(
        pool(Array.from({ length: 50 }, (_, at) => member(`m${at}`, { park: { since: '', until: null, by: '' } }))),
      ),
    ).toHaveLength(8)
  })

  it('of a member names the limits of its models', () => {
    const scoped = [{ model: 'opus', reason: 'model-quota', until: '2026-01-05T15:00:00.000Z' }]
    expect(poolText(pool([member('work', { scoped })]), today)).toContain(
      '1. work: healthy, opus limited until 15:00:00 UTC',
    )
  })

  it('of the audit log leaves out the oldest rows when they do not fit', () => {
    const rows = Array.from(
      { length: 50 },
      (_, seq): AuditShape => ({
        seq,
        at: '2026-01-05T13:00:00.000Z',
        kind: 'cred_failover',
        pool: 'p'.repeat(60),
        from: 'f'.repeat(60),
        to: `to-${seq}`,
        reason: 'rate-limited',
        actor: 'spillway',
        suppressed: seq,
        detail: {},
        hash: '',
      }),
    )
    const text = auditText(rows, today)
    expect(text.length).toBeLessThanOrEqual(4_096)
    expect(text).toContain('to-49 (rate-limited) and 49 more')
    expect(text).not.toContain('to-0 ')
    expect(auditText([], today)).toBe('The audit log is empty.')
  })

  it('offers no rotation where nobody is left to rotate to', () => {
    expect(deedsFor(pool([member('only')]))).toEqual([])
  })
})

describe('buttons', () => {
  const isOffered = () => true

  it('do nothing when their incident is over, and those of an answer have none', () => {
    const buttons = new Buttons()
    const over = { now, isOffered: () => false }
    const action = { verb: 'enable', member: 'work' } as const
    const ofIncident = buttons.data(42, { incident: 'one' }, action, now)
    const ofAnswer = buttons.data(42, { replyTo: 7 }, action, now)
    expect(buttons.press(42, ofIncident, over)).toEqual({ kind: 'over', action })
    expect(buttons.press(42, ofIncident, { now, isOffered }).kind).toBe('action')
    expect(buttons.press(42, ofAnswer, over).kind).toBe('action')
  })

  it('are the same for the same message until half their life is over', () => {
    const buttons = new Buttons()
    const action = { verb: 'rotate', pool: 'openai' } as const
    const data = buttons.data(42, { incident: 'incident' }, action, now)
    expect(Buffer.byteLength(data)).toBeLessThanOrEqual(64)
    expect(buttons.data(42, { incident: 'incident' }, action, now + 1_800_000)).toBe(data)
    expect(buttons.data(42, { incident: 'incident' }, action, now + 1_800_001)).not.toBe(data)
    expect(buttons.data(42, { incident: 'another' }, action, now)).not.toBe(data)
    expect(buttons.data(43, { incident: 'incident' }, action, now)).not.toBe(data)
  })

  it('mean something in their own chat only', () => {
    const buttons = new Buttons()
    const data = buttons.data(42, { incident: 'incident' }, { verb: 'rotate', pool: 'openai' }, now)
    expect(buttons.press(43, data, { now, isOffered }).kind).toBe('unknown')
    expect(buttons.press(42, data, { now, isOffered }).kind).toBe('action')
    expect(buttons.press(42, data, { now, isOffered }).kind).toBe('used')
  })

  it('are remembered up to a thousand, the oldest forgotten first', () => {
    const buttons = new Buttons()
    const data = Array.from({ length: 1_001 }, (_, at) =>
      buttons.data(42, { incident: `incident ${at}` }, { verb: 'rotate', pool: 'openai' }, now),
    )
    expect(buttons.press(42, data[0]!, { now, isOffered }).kind).toBe('unknown')
    expect(buttons.press(42, data[1]!, { now, isOffered }).kind).toBe('action')
  })
})

function apiError(code: number, description: string, parameters: object = {}): GrammyError {
  return new GrammyError('Call failed', { ok: false, error_code: code, description, parameters }, 'sendMessage', {})
}

describe('errors', () => {
  it.each([
    [
      '429 with a pause',
      apiError(429, 'Too Many Requests', { retry_after: 35 }),
      { kind: 'retry-after', afterMs: 35_000 },
    ],
    ['429 without a pause', apiError(429, 'Too Many Requests'), { kind: 'transient' }],
    ['a wrong token', apiError(401, 'Unauthorized'), { kind: 'retry-after', afterMs: 300_000 }],
    ['a token that is none', apiError(404, 'Not Found'), { kind: 'retry-after', afterMs: 300_000 }],
    ['a bot that was blocked', apiError(403, 'Forbidden: bot was blocked by the user'), { kind: 'permanent' }],
    ['an unknown chat', apiError(400, 'Bad Request: chat not found'), { kind: 'permanent' }],
    ['an error of Telegram', apiError(502, 'Bad Gateway'), { kind: 'transient' }],
    ['no connection', new HttpError('Network request failed', new Error('bot4200:canary')), { kind: 'transient' }],
  ])('%s: what the outbox does', (_name, error, fault) => {
    expect(channelError(error).fault).toEqual(fault)
  })

  it('say where a chat has moved, and nothing of a network error but that it is one', () => {
    const moved = apiError(400, 'Bad Request: group chat was upgraded', { migrate_to_chat_id: -1001 })
    expect(channelError(moved).message).toContain('the chat has moved to -1001')
    const refused = new HttpError('Network request failed', new Error('https://api.telegram.org/bot4200:canary'))
    expect(JSON.stringify(failure(refused))).toBe('{"what":"Telegram cannot be reached"}')
    const fault = new TypeError('a fault of the program')
    expect(failure(fault)).toEqual({ error: fault })
  })
})
