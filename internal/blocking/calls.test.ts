import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Clock, systemClock } from '../clock/clock.ts'
import { BlockingCalls, BlockingFailed } from './blocking.ts'

type Work = {
  double: { asks: number; answers: number }
  fail: { asks: string; answers: never }
  /** Blocks its runner until the time is up. */
  block: { asks: number; answers: string }
  die: { asks: null; answers: never }
  who: { asks: null; answers: number }
}

let folder = ''
let clock: Clock
const open: BlockingCalls<Work>[] = []

beforeEach(() => {
  clock = systemClock()
  folder = mkdtempSync(join(tmpdir(), 'spillway-desk-'))
  const serving = new URL('../../dist/internal/blocking/blocking.js', import.meta.url)
  writeFileSync(
    join(folder, 'runner.mjs'),
    `import { serve } from ${JSON.stringify(serving.href)}
     import { threadId } from 'node:worker_threads'
     const block = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
     serve({
       double: (n) => 2 * n,
       fail: (code) => { throw Object.assign(new Error('it failed'), { code }) },
       block: (ms) => { block(ms); return 'awake' },
       die: () => process.exit(3),
       who: () => process.pid + threadId,
     })`,
  )
})
afterEach(() => {
  for (const calls of open.splice(0)) void calls.stop()
  rmSync(folder, { recursive: true })
})

function callsBefore(isolation: 'thread' | 'process', runners = 1): BlockingCalls<Work> {
  const script = pathToFileURL(join(folder, 'runner.mjs'))
  const made = new BlockingCalls<Work>({
    clock,
    script,
    isolation,
    runners,
    mostHung: 3,
    env: { PATH: process.env.PATH },
  })
  open.push(made)
  return made
}

const within = { deadlineMs: 20_000 }
const code = (asked: Promise<unknown>) =>
  asked.then(
    () => 'answered',
    (error: unknown) => (error instanceof BlockingFailed ? error.code : error),
  )

describe.each(['thread', 'process'] as const)('calls before a %s', (isolation) => {
  it('gives answers, and failures with the code of the system', async () => {
    const work = callsBefore(isolation)
    expect(await work.ask('double', 21, within)).toBe(42)
    await expect(work.ask('fail', 'ENOTCONN', within)).rejects.toMatchObject({ message: 'it failed', code: 'ENOTCONN' })
    expect(await work.ask('double', 1, within)).toBe(2)
  })

  it('gives up what takes too long, and goes on with the next in another runner', async () => {
    const work = callsBefore(isolation)
    const before = await work.ask('who', null, within)
    const hung = code(work.ask('block', 60_000, { deadlineMs: 300 }))
    const next = work.ask('who', null, within)
    expect(await hung).toBe('EHUNG')
    expect(await next).not.toBe(before)
  })

  it('lets urgent tasks go first', async () => {
    const work = callsBefore(isolation)
    const order: string[] = []
    const first = work.ask('block', 200, within).then(() => order.push('first'))
    const second = work.ask('double', 1, within).then(() => order.push('second'))
    const urgent = work.ask('double', 1, { ...within, urgent: true }).then(() => order.push('urgent'))
    await Promise.all([first, second, urgent])
    expect(order).toEqual(['first', 'urgent', 'second'])
  })

  it('fails what is asked after the end', async () => {
    const work = callsBefore(isolation)
    const under = code(work.ask('block', 60_000, within))
    const waiting = code(work.ask('double', 1, within))
    void work.stop()
    expect([await under, await waiting, await code(work.ask('double', 1, within))]).toEqual(Array(3).fill('ESTOPPED'))
  })
})

describe('calls before processes', () => {
  it('fails the task of a runner that dies, and starts another', async () => {
    const work = callsBefore('process')
    await expect(work.ask('die', null, within)).rejects.toThrow('the process ended')
    expect(await work.ask('double', 2, within)).toBe(4)
  })

  it('holds up nothing while all its runners hang, one after the other', async () => {
    const work = callsBefore('process', 3)
    const hung = Array.from({ length: 6 }, () => code(work.ask('block', 60_000, { deadlineMs: 200 })))
    const well = work.ask('double', 3, within)
    expect(await Promise.all(hung)).toEqual(Array(6).fill('EHUNG'))
    // It waited for those before it, and was not given up with them.
    expect(await well).toBe(6)
  })

  it('runs as many side by side as there are runners', async () => {
    const work = callsBefore('process', 2)
    await Promise.all([work.ask('double', 1, within), work.ask('double', 1, within)])
    const begun = performance.now()
    await Promise.all([work.ask('block', 1_500, within), work.ask('block', 1_500, within)])
    expect(performance.now() - begun).toBeLessThan(2_900)
  })
})
