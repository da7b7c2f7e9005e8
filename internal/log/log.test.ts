import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { descriptor } from './destination.ts'
import { createLogger, type LogFields, type LogLevel, type LogOptions } from './log.ts'

function captured(options: Partial<LogOptions> = {}) {
  const lines: string[] = []
  const log = createLogger({
    level: 'debug',
    format: 'json',
    destination: { write: (line) => lines.push(line) },
    ...options,
  })
  return { log, lines, last: (): Record<string, unknown> => JSON.parse(lines.at(-1) ?? 'null') }
}

/** What a caller who gets around the types might pass. */
const odd = (fields: unknown): LogFields => Object(fields)

describe('a line', () => {
  it('has a time, a level, a message and its fields, and nothing of the machine', () => {
    const { log, last } = captured()
    log.info({ pool: 'openai', attempts: 2, retryAt: null }, 'failed over')
    const { time, ...rest } = last()
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    expect(rest).toEqual({ level: 'info', pool: 'openai', attempts: 2, retryAt: null, msg: 'failed over' })
  })

  it('is written from its level up, and the level can change', () => {
    const { log, lines } = captured({ level: 'warn' })
    const levels: LogLevel[] = ['debug', 'info', 'warn', 'error']
    for (const level of levels) log[level]({}, level)
    expect(lines.map((line) => JSON.parse(line).level)).toEqual(['warn', 'error'])
    log.setLevel('debug')
    log.debug({}, 'now')
    expect(lines).toHaveLength(3)
  })

  it('does not look at its fields below the level', () => {
    const { log } = captured({ level: 'info' })
    let looked = false
    const fields = {
      get pool() {
        looked = true
        return 'x'
      },
    }
    log.debug(fields, 'x')
    expect(looked).toBe(false)
    log.info(fields, 'x')
    expect(looked).toBe(true)
  })

  it('has one line of text for people, also with an error', () => {
    const { log, lines } = captured({ format: 'pretty' })
    log.warn({ pool: 'openai', reason: 'quota' }, 'openai is exhausted')
    log.error({ error: new Error('gone away') }, 'no store')
    log.warn({ problems: ['a.yaml:1: x', 'a.yaml:2: y'], from: null }, 'config_rejected')
    expect(lines.map((line) => line.replace(/^\[\d\d:\d\d:\d\d\] /, ''))).toEqual([
      'WARN: openai is exhausted pool=openai reason=quota\n',
      'ERROR: no store error="gone away"\n',
      'WARN: config_rejected problems="a.yaml:1: x", "a.yaml:2: y"\n',
    ])
  })

  it('is JSON under auto when it goes elsewhere than to a terminal', () => {
    const { log, last } = captured({ format: 'auto' })
    log.info({}, 'x')
    expect(last().msg).toBe('x')
  })
})

describe('the allow-list', () => {
  it('leaves out every other field, also inside of others', () => {
    const { log, lines, last } = captured()
    log.info(
      odd({ pool: 'p', headers: { authorization: 'CANARY' }, body: 'CANARY', what: { pool: 'q', raw: 'CANARY' } }),
      'x',
    )
    expect(lines.join()).not.toContain('CANARY')
    expect(last()).toMatchObject({ pool: 'p', what: { pool: 'q' } })
  })

  it('does not take objects of a class apart', () => {
    class Holder {
      readonly pool = 'CANARY'
      toJSON() {
        return 'CANARY'
      }
    }
    const { log, lines, last } = captured()
    log.info({ what: new Holder(), members: new Map([['pool', 'CANARY']]) }, 'x')
    expect(lines.join()).not.toContain('CANARY')
    expect(last()).toMatchObject({ what: '[object]', members: '[object]' })
  })

  it('does not let a field replace time, level or message', () => {
    const { log, last } = captured()
    log.info(odd({ level: 'fatal', msg: 'other', time: 'never' }), 'mine')
    expect(last()).toMatchObject({ level: 'info', msg: 'mine' })
    expect(last().time).not.toBe('never')
  })
})

describe('a secret', () => {
  it.each([
    ['the message', {}, 'refused: sk-CANARY0123456'],
    ['a field', { reason: 'Bearer CANARY0123456' }, 'x'],
    ['a list', { problems: ['ok', 'key=CANARY'] }, 'x'],
    ['an error', { error: new Error('upstream said sk-CANARY0123456') }, 'x'],
    ['a cause', { error: new Error('x', { cause: new Error('?key=CANARY') }) }, 'x'],
    ['one of several errors', { error: new AggregateError([new Error('sk-CANARY0123456')], 'all') }, 'x'],
    ['the name of an error', { error: Object.assign(new Error('x'), { name: 'sk-CANARY0123456' }) }, 'x'],
    ['another property of an error', { error: Object.assign(new Error('x'), { request: 'CANARY' }) }, 'x'],
    ['the stack of an error', { error: Object.assign(new Error('x'), { stack: 'CANARY' }) }, 'x'],
    ['a text that is cut', { what: `${'x'.repeat(995)} sk-CANARY${'y'.repeat(40)}` }, 'x'],
  ])('does not come out through %s', (_, fields, message) => {
    const { log, lines } = captured()
    log.error(fields, message)
    expect(lines).toHaveLength(1)
    expect(lines.join()).not.toContain('CANARY')
  })
})

describe('an error', () => {
  it('has its name, code, message, hint and cause', () => {
    const { log, last } = captured()
    const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
    const error = Object.assign(new TypeError('no way', { cause }), { hint: 'try again', code: 7 })
    log.error({ error }, 'x')
    expect(last().error).toEqual({
      name: 'TypeError',
      code: 7,
      message: 'no way',
      hint: 'try again',
      cause: { name: 'Error', code: 'ECONNREFUSED', message: 'refused' },
    })
  })

  it('may be its own cause', () => {
    const { log, last } = captured()
    const error = new Error('x')
    error.cause = error
    log.error({ error }, 'x')
    expect(last().error).toMatchObject({ message: 'x', cause: { message: 'x' } })
  })
})

describe('odd input', () => {
  const circular: { what?: unknown } = {}
  circular.what = circular
  const hostile = new Proxy(
    {},
    {
      ownKeys() {
        throw new Error('no')
      },
    },
  )

  it.each<[string, unknown, unknown]>([
    ['a circle', circular, { what: { what: { what: { what: '[deep]' } } } }],
    [
      'a getter that throws',
      Object.defineProperty({}, 'pool', {
        enumerable: true,
        get: () => {
          throw new Error('no')
        },
      }),
      {},
    ],
    ['a proxy that throws', hostile, {}],
    ['a proxy inside that throws', { what: hostile, pool: 'p' }, { what: {}, pool: 'p' }],
    ['nothing', null, {}],
    ['a bigint', { count: 10n }, { count: '10' }],
    ['a symbol', { pool: Symbol('x') }, {}],
    ['a function', { pool: () => 'x' }, {}],
    ['not a number', { ms: Number.NaN }, { ms: null }],
    ['an invalid date', { at: new Date(Number.NaN) }, { at: null }],
    ['a date', { at: new Date(0) }, { at: '1970-01-01T00:00:00.000Z' }],
    ['holes and symbols in a list', { members: [undefined, Symbol('x'), 'a'] }, { members: [null, null, 'a'] }],
    ['a list that is too long', { members: Array(60).fill(1) }, { members: Array(50).fill(1) }],
    [
      'a record without a prototype',
      { what: Object.assign(Object.create(null), { pool: 'p' }) },
      { what: { pool: 'p' } },
    ],
  ])('is logged without an exception: %s', (_, fields, expected) => {
    const { log, last } = captured()
    log.info(odd(fields), 'still here')
    const { level, time, msg, ...rest } = last()
    expect([level, msg]).toEqual(['info', 'still here'])
    expect(rest).toEqual(expected)
  })

  it('is cut when it is long, and cannot write to the terminal', () => {
    const { log, last } = captured({ format: 'json' })
    log.info({ what: 'x'.repeat(5_000) }, '\u001b[31mred\r\nnew line\u0007')
    expect(last().what).toHaveLength(1_001)
    expect(last().msg).toBe(' [31mred new line ')
  })

  it('does not throw when the destination does', () => {
    const { log } = captured({
      destination: {
        write() {
          throw new Error('gone')
        },
      },
    })
    expect(() => log.error({}, 'x')).not.toThrow()
  })
})

describe('a descriptor', () => {
  it('whose reader is gone or stands still holds nobody up', () => {
    const folder = mkdtempSync(join(tmpdir(), 'spillway-log-'))
    execFileSync('/usr/bin/mkfifo', [join(folder, 'pipe')])
    const fd = openSync(join(folder, 'pipe'), constants.O_RDWR | constants.O_NONBLOCK)
    const log = createLogger({ level: 'info', format: 'json', destination: descriptor(fd) })
    const start = process.cpuUsage()
    for (let line = 0; line < 5_000; line++) log.info({ what: 'x'.repeat(500) }, 'nobody reads this')
    // Of a processor, in µs: other programs on the machine do not count.
    expect(process.cpuUsage(start).user).toBeLessThan(5_000_000)
    closeSync(fd)
    expect(() => descriptor(fd).write('into nothing\n')).not.toThrow()
    rmSync(folder, { recursive: true })
  })
})
