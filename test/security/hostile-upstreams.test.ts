/** A13 and A14: hints beyond reason, and answers that try to use up memory. */
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { type Rig, type RigOptions, startRig } from '../fakes/rig/rig.ts'
import { answer, raw } from '../fakes/upstream/upstream.ts'

let rig: Rig

async function start(options: RigOptions = {}): Promise<void> {
  rig = await startRig(options)
}

afterEach(() => rig.close())

const weekMs = 7 * 86_400_000

describe('A13: a Retry-After', () => {
  it.each([
    ['beyond all times', '1000000000000', weekMs],
    ['that is negative', '-5', 60_000],
    ['of zero', '0', 60_000],
    ['that is no number', 'NaN', 60_000],
    ['that is infinite', 'Infinity', 60_000],
    ['in the past', 'Thu, 01 Jan 1970 00:00:00 GMT', 60_000],
    ['in hexadecimal', '0x10', 60_000],
  ])('%s is clamped or ignored', async (_name, hint, atMostMs) => {
    await start()
    rig.upstream.on('key-a').always(answer(429, { 'retry-after': hint }, { error: { code: 'rate_limit_exceeded' } }))
    expect((await rig.ask()).status).toBe(200)
    const health = rig.engine.pool('pool')?.members[0]?.health
    if (health?.state !== 'cooling') throw new Error('the member is not cooling')
    const lengthMs = health.until - health.since
    expect(lengthMs).toBeGreaterThan(0)
    expect(lengthMs).toBeLessThanOrEqual(atMostMs * 1.05)
  })
})

describe('A14: an answer that would fill the memory', () => {
  const mebibyte = 1_048_576

  /** How far the memory grew while `ask` ran ten times. */
  async function growth(behaviour: Parameters<ReturnType<Rig['upstream']['on']>['always']>[0], status: number) {
    rig.upstream.on('key-a').always(behaviour)
    await rig.ask()
    const before = process.memoryUsage().rss
    let most = before
    for (let i = 0; i < 10; i++) {
      expect((await rig.ask()).status).toBe(status)
      most = Math.max(most, process.memoryUsage().rss)
    }
    return most - before
  }

  it.each([
    ['gzip', gzipSync(Buffer.alloc(200 * mebibyte))],
    ['br', brotliCompressSync(Buffer.alloc(200 * mebibyte))],
  ])('a %s bomb as an error gives 502 within 64 MiB', async (coding, bomb) => {
    await start()
    expect(await growth(answer(400, { 'content-encoding': coding }, bomb), 502)).toBeLessThan(64 * mebibyte)
  })

  it('103s without an end give 502 within 64 MiB', async () => {
    await start()
    const hints = raw('HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n'.repeat(2_000), true)
    expect(await growth(hints, 502)).toBeLessThan(64 * mebibyte)
  })

  it('a head of 16 MiB gives 502 within 64 MiB', async () => {
    await start()
    const line = `X-Long: ${'x'.repeat(8_000)}\r\n`
    const head = raw(`HTTP/1.1 200 OK\r\n${line.repeat((16 * mebibyte) / line.length)}\r\n`)
    expect(await growth(head, 502)).toBeLessThan(64 * mebibyte)
  })
})
