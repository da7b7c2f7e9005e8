import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Bench, startBench } from '../../../test/fakes/rig/operations.ts'

let bench: Bench

beforeEach(async () => {
  bench = await startBench()
})
afterEach(() => bench.stop())

const claim = (name = 'nightly', holder = 'pid 7') => bench.ops.jobClaim({ name, holder })
const rows = async () =>
  Object.entries((await bench.store.load()).meta).flatMap(([name, value]) =>
    name.startsWith('job:') ? [[name, JSON.parse(value)]] : [],
  )

async function settle(
  lease: string | null,
  settlement: { failures?: number; infra?: number; waitMs?: number; running?: boolean },
) {
  const all = { failures: 0, infra: 0, waitMs: 0, running: false, ...settlement }
  return bench.ops.jobSettle({ name: 'nightly', lease: lease ?? '', ...all })
}

/** The same store under a new process, some time later. */
async function restarted(afterMs: number): Promise<Bench> {
  await bench.clock.advance(afterMs)
  return startBench({ store: bench.store, clock: bench.clock })
}

describe('a claim', () => {
  test('is durable before it is given, and names who holds it', async () => {
    const found = await claim()
    expect(found).toMatchObject({ job: 'nightly', lease: expect.any(String), why: null, failures: 0, infra: 0 })
    expect(await rows()).toEqual([
      ['job:nightly', expect.objectContaining({ lease: expect.objectContaining({ holder: 'pid 7' }) })],
    ])
  })

  test('of a job that somebody runs is refused, and writes nothing', async () => {
    await claim()
    const before = bench.store.batches.length
    expect(await claim('nightly', 'pid 8')).toMatchObject({
      lease: null,
      why: 'running',
      holder: 'pid 7',
      until: '2026-01-05T14:01:30.000Z',
    })
    expect(bench.store.batches).toHaveLength(before)
  })

  test('is given once when two ask at the same time', async () => {
    const both = await Promise.all([claim(), claim()])
    expect(both.map(({ why }) => why)).toEqual([null, 'running'])
  })

  test('passes on when it was not renewed for 90 s, and the first holder is told so', async () => {
    const first = await claim()
    await bench.clock.advance(90_000)
    const second = await claim('nightly', 'pid 8')
    expect(second.why).toBeNull()
    expect(await bench.ops.jobRenew({ name: 'nightly', lease: first.lease ?? '' })).toMatchObject({ held: false })
    expect(await settle(first.lease, { failures: 9, waitMs: 60_000 })).toMatchObject({ held: false })
    expect(await settle(second.lease, {})).toMatchObject({ held: true })
  })

  test('holds as long as it is renewed, and renewing writes nothing', async () => {
    const { lease } = await claim()
    const before = bench.store.batches.length
    for (let i = 0; i < 5; i++) {
      await bench.clock.advance(60_000)
      expect(await bench.ops.jobRenew({ name: 'nightly', lease: lease ?? '' })).toMatchObject({ held: true })
    }
    expect(await claim()).toMatchObject({ why: 'running' })
    expect(bench.store.batches).toHaveLength(before)
  })

  test('survives a restart of the daemon, which gives the runner time to renew it', async () => {
    const { lease } = await claim()
    const next = await restarted(3_600_000)
    expect(await next.ops.jobClaim({ name: 'nightly', holder: 'pid 8' })).toMatchObject({ why: 'running' })
    expect(await next.ops.jobRenew({ name: 'nightly', lease: lease ?? '' })).toMatchObject({ held: true })
    await next.stop()
  })

  test('that cannot be written is not given, and blocks nobody', async () => {
    bench.store.trouble = new Error('the disk is full')
    await expect(claim()).rejects.toMatchObject({
      code: 'try-later',
      message: expect.stringContaining('the disk is full'),
    })
    bench.store.trouble = null
    expect(await claim()).toMatchObject({ why: null })
  })

  test('needs a name that shells and listings can carry', async () => {
    await expect(claim('a b')).rejects.toMatchObject({ code: 'invalid', message: '"a b" cannot be the name of a job' })
  })
})

describe('what a run leaves behind', () => {
  test('keeps the job from starting until its next attempt, also over a restart', async () => {
    const { lease } = await claim()
    await settle(lease, { failures: 4, infra: 1, waitMs: 600_000 })
    expect(await claim()).toMatchObject({
      why: 'waiting',
      holder: null,
      until: '2026-01-05T14:10:00.000Z',
      failures: 4,
    })
    const next = await restarted(599_000)
    expect(await next.ops.jobClaim({ name: 'nightly', holder: 'p' })).toMatchObject({ why: 'waiting' })
    await bench.clock.advance(1_000)
    expect(await next.ops.jobClaim({ name: 'nightly', holder: 'p' })).toMatchObject({
      why: null,
      failures: 4,
      infra: 1,
    })
    await next.stop()
  })

  test('is nothing after a success: the row is gone', async () => {
    const { lease } = await claim()
    await settle(lease, {})
    expect(await rows()).toEqual([])
    expect(await claim()).toMatchObject({ why: null })
  })

  test('between two attempts of a run keeps the claim', async () => {
    const { lease } = await claim()
    await settle(lease, { failures: 1, waitMs: 5_000, running: true })
    await bench.clock.advance(10_000)
    expect(await claim()).toMatchObject({ why: 'running' })
  })

  test('does not stop jobs when its row cannot be read', async () => {
    await bench.store.commit({ writes: [{ put: 'meta', name: 'job:nightly', value: '{"failures":-1' }], audit: [] })
    expect(await claim()).toMatchObject({ why: null, failures: 0 })
  })
})

describe('the number of jobs', () => {
  async function fill(nextAttemptAt: number): Promise<void> {
    const value = JSON.stringify({ failures: 1, infra: 0, nextAttemptAt, lease: null })
    const writes = Array.from({ length: 1_000 }, (_, i) => ({ put: 'meta' as const, name: `job:j${i}`, value }))
    await bench.store.commit({ writes, audit: [] })
  }

  test('is bounded: the longest idle one gives way', async () => {
    await fill(bench.clock.now() - 60_000)
    expect(await claim()).toMatchObject({ why: null })
    expect(await rows()).toHaveLength(1_000)
  })

  test('is bounded: one that has to wait does not give way', async () => {
    await fill(bench.clock.now() + 60_000)
    await expect(claim()).rejects.toMatchObject({ code: 'conflict' })
    expect(await rows()).toHaveLength(1_000)
  })

  test('shrinks by those that nobody has run for 30 days', async () => {
    await fill(bench.clock.now() - 31 * 86_400_000)
    await claim()
    expect(await rows()).toHaveLength(1)
  })
})
