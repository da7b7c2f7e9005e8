import { execFileSync } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FakeClock } from '../clock/clock.ts'
import { StoreError } from './fault.ts'
import { Thread } from './thread.ts'

/*
 * A worker that speaks the protocol and does what the file name in `audit({ pool })` says. Opening a FIFO that nobody
 * writes to blocks the thread in a system call, as a dead network mount does: not even `terminate` ends it.
 */
const script = `
import { openSync, writeFileSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
parentPort.on('message', ({ id, call, asks }) => {
  const what = asks?.kind
  if (what === 'hang') {
    writeFileSync(asks.pool + '.entered', '')
    openSync(asks.pool, 'r')
  }
  if (what === 'crash') process.exit(3)
  if (what === 'throw') throw new Error('out of luck')
  if (what === 'fault') return parentPort.postMessage({ id, fault: { code: 'full', message: 'no room', hint: 'make some' } })
  if (what === 'stale') return parentPort.postMessage({ id, fault: { code: 'stale-generation', message: 'too late', hint: null } })
  parentPort.postMessage({ id, answer: [call, workerData.again] })
})`

const deadlineMs = 1_000
let folder: string
let clock: FakeClock
let thread: Thread
let fifos: string[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-thread-'))
  fifos = []
  clock = new FakeClock()
  const file = join(folder, 'worker.mjs')
  writeFileSync(file, script)
  thread = new Thread({ script: pathToFileURL(file), data: (again) => ({ again }), timers: clock, deadlineMs })
})

afterEach(async () => {
  for (const fifo of fifos) release(fifo)
  await thread.close().catch(() => {})
  rmSync(folder, { recursive: true, force: true })
})

function ask(kind = 'answer'): Promise<unknown> {
  return thread.call('audit', { kind })
}

/** Makes the worker hang in the kernel until the test is over; resolves with how the call fails once it does hang. */
async function hang(ownDeadlineMs?: number): Promise<{ error: Promise<StoreError> }> {
  const pool = join(folder, `fifo-${fifos.length}`)
  execFileSync('mkfifo', [pool])
  fifos.push(pool)
  const error = failure(thread.call('audit', { kind: 'hang', pool }, ownDeadlineMs))
  await expect.poll(() => existsSync(`${pool}.entered`), { timeout: 10_000, interval: 10 }).toBe(true)
  return { error }
}

/** Opening for reading and writing never blocks, and lets the reader go that waits for a writer. */
function release(fifo: string): void {
  closeSync(openSync(fifo, 'r+'))
}

async function failure(call: Promise<unknown>): Promise<StoreError> {
  const error = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (error instanceof StoreError) return error
  throw new Error(`it answered or threw something else: ${error}`)
}

describe('a thread', () => {
  test('answers calls in order', async () => {
    expect(await Promise.all([thread.call('open', null), ask(), thread.call('space', null)])).toEqual([
      ['open', false],
      ['audit', false],
      ['space', false],
    ])
  })

  test('hands over what the worker refuses', async () => {
    expect(await failure(ask('fault'))).toMatchObject({
      code: 'full',
      message: 'no room',
      hint: 'make some',
      mayRetry: true,
    })
    await expect(ask('stale')).rejects.toMatchObject({ name: 'StaleGeneration', message: 'too late' })
  })

  test.each(['crash', 'throw'])(
    'rejects what was pending when the worker is gone (%s), and starts another',
    async (way) => {
      await ask()
      const pending = [failure(ask(way)), failure(ask())]
      for (const error of await Promise.all(pending))
        expect(error).toMatchObject({ code: 'unavailable', mayRetry: true })
      expect(await ask()).toEqual(['audit', true])
    },
  )

  test('gives up at the deadline, rejects everything that waited, and starts another worker', async () => {
    await ask()
    const { error } = await hang()
    const waiting = failure(ask())
    await clock.advance(deadlineMs - 1)
    expect(await Promise.race([error, waiting, 'pending'])).toBe('pending')
    await clock.advance(1)
    for (const each of [error, waiting]) expect(await each).toMatchObject({ code: 'deadline', mayRetry: true })
    expect(await ask()).toEqual(['audit', true])
  })

  test('lets a call have a deadline of its own', async () => {
    const { error } = await hang(5_000)
    await clock.advance(4_999)
    expect(await Promise.race([error, 'pending'])).toBe('pending')
    await clock.advance(1)
    expect((await error).message).toContain('5000 ms')
  })

  test('leaves at most three hanging workers behind, refuses at once then, and works again when one has ended', async () => {
    for (let i = 0; i < 3; i++) {
      const { error } = await hang()
      await clock.advance(deadlineMs)
      expect((await error).code).toBe('deadline')
    }
    expect(await failure(ask())).toMatchObject({ code: 'deadline', message: expect.stringContaining('3 threads hang') })
    release(fifos[0]!)
    await expect.poll(() => ask().catch(() => null), { timeout: 10_000 }).toEqual(['audit', false])
  })
})

describe('closing a thread', () => {
  test('lets earlier calls finish and refuses later ones', async () => {
    const earlier = ask()
    const closed = thread.close()
    const later = failure(ask())
    expect(await earlier).toEqual(['audit', false])
    await closed
    expect(await later).toMatchObject({ code: 'closed', mayRetry: false })
    await thread.close()
  })

  test('says that a worker hangs, so that the process is not left to wait for it', async () => {
    const { error } = await hang()
    const closed = failure(thread.close())
    await clock.advance(deadlineMs)
    await clock.advance(deadlineMs)
    expect((await error).code).toBe('deadline')
    expect(await closed).toMatchObject({ code: 'hung', mayRetry: false })
  })

  test('is nothing when no call was ever made', async () => {
    await thread.close()
  })
})
