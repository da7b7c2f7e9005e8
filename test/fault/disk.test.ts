import { statfsSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { remoteOps } from '../../internal/cli/cli.ts'
import type { Ops } from '../../internal/ops/ops.ts'
import { Sqlite } from '../../internal/store/driver.ts'
import { Mirror, mountTmpfs } from '../fakes/mounts.ts'
import { Program, type Served } from '../fakes/rig/program.ts'
import { answer, type FakeUpstream, fakeUpstream } from '../fakes/upstream/upstream.ts'

const full = process.env.SPILLWAY_FULL === '1'
const limited = answer(429, { 'retry-after': '3600' }, { error: { message: 'slow', code: 'rate_limit_exceeded' } })

let program: Program
let upstream: FakeUpstream
let served: Served
let ops: Ops
let key: string
const cleanups: (() => unknown)[] = []

beforeEach(async () => {
  program = new Program()
  upstream = await fakeUpstream()
  // Outside of the data directory, so that the daemon can be asked when that is ill.
  ops = remoteOps(program.beside('admin.sock'), 'operator:cli')
})

afterEach(async () => {
  served?.process.kill('SIGKILL')
  await served?.ended
  for (const clean of cleanups.splice(0).reverse()) await clean()
  program.close()
  await upstream.close()
})

async function start(): Promise<void> {
  served = await program.serve({
    SPILLWAY_ADMIN_SOCKET: program.beside('admin.sock'),
    SPILLWAY_DISK_RESERVE_BYTES: '0B',
    SPILLWAY_POOLS_MAX_WAIT_MS: '0',
    // Requests that fail together are let onto the next member one after the other: that wait is not the disk's.
    SPILLWAY_POOLS_RAMP_PER_SECOND: '1000',
    SPILLWAY_LOG_FORMAT: 'json',
  })
}

/** A daemon with a pool of three, and a request served, so that everything is warm. */
async function begin(): Promise<void> {
  await start()
  key = (await ops.keyCreate({ name: 'load' })).key
  for (const name of ['a', 'b', 'c']) {
    await ops.credAdd({ name, provider: 'openai', source: { kind: 'vault', secret: `sk-${name}` } })
  }
  await ops.poolCreate({ name: 'openai', provider: 'openai', members: ['a', 'b', 'c'], upstream: upstream.url })
  expect((await ask()).status).toBe(200)
}

async function ask(): Promise<{ status: number; ms: number }> {
  const begun = performance.now()
  const response = await fetch(`${served.origin}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: '{}',
  })
  await response.text()
  return { status: response.status, ms: performance.now() - begun }
}

/** Asks `count` times, ten at once; all must be served. Returns the 99th percentile in ms. */
async function allServed(count: number): Promise<number> {
  const times: number[] = []
  for (let done = 0; done < count; done += 10) {
    for (const { status, ms } of await Promise.all(Array.from({ length: 10 }, ask))) {
      expect(status).toBe(200)
      times.push(ms)
    }
  }
  times.sort((one, other) => one - other)
  return times[Math.floor(times.length * 0.99)] ?? 0
}

const troubles = async () => (await ops.status({})).incidents.filter(({ kind }) => kind === 'store_trouble').length

/** The member's health after a restart, when only what was stored is known. */
async function healthAfterRestart(member: string): Promise<string | undefined> {
  served.process.kill('SIGTERM')
  expect((await served.ended).code).toBe(0)
  await start()
  const { members } = await ops.poolStatus({ name: 'openai' })
  return members.find(({ name }) => name === member)?.health.state
}

describe('F8: a full disk', () => {
  it('leaves the data plane alone, is one incident, and what happened meanwhile is stored afterwards', async (test) => {
    const why = mountTmpfs(program.data, '4m', cleanups)
    test.skip(why !== null, why ?? '')
    await begin()
    const filler = join(program.data, 'filler')
    const { bavail, bsize } = statfsSync(program.data)
    writeFileSync(filler, Buffer.alloc(bavail * bsize - 65_536))
    // Rows until not even SQLite's log has room.
    for (let i = 0; i < 200 && (await troubles()) === 0; i++) {
      await Promise.race([ops.poolPark({ name: 'openai', member: 'c', forMs: 60_000 }).catch(() => {}), pause(2_500)])
    }
    upstream.on('sk-a').always(limited)
    await allServed(200)
    expect(upstream.served.slice(-199).every((secret) => secret === 'sk-b')).toBe(true)
    expect(await troubles()).toBe(1)
    unlinkSync(filler)
    await expect.poll(troubles, { timeout: 15_000, interval: 200 }).toBe(0)
    expect(await ops.auditVerify({})).toMatchObject({ ok: true })
    expect(await healthAfterRestart('a')).toBe('cooling')
  }, 60_000)
})

describe('F8: a disk that is full before the start', () => {
  it('keeps nobody from starting: what is stored serves', async (test) => {
    const why = mountTmpfs(program.data, '4m', cleanups)
    test.skip(why !== null, why ?? '')
    await begin()
    served.process.kill('SIGTERM')
    expect((await served.ended).code).toBe(0)
    const { bavail, bsize } = statfsSync(program.data)
    writeFileSync(join(program.data, 'filler'), Buffer.alloc(bavail * bsize))
    await start()
    await allServed(5)
    expect(statfsSync(program.data).bavail).toBe(0)
    expect(await ops.auditVerify({})).toMatchObject({ ok: true })
  }, 60_000)
})

describe('F9: a stale data directory (ENOTCONN)', () => {
  it('is one incident while requests go on, and the store is open again within 10 s of its recovery', async (test) => {
    const mirror = new Mirror(program.beside('real'), program.data, cleanups)
    const why = await mirror.mount()
    test.skip(why !== null, why ?? '')
    await begin()
    await ops.poolPark({ name: 'openai', member: 'c', forMs: 3_600_000 })
    await mirror.kill()
    upstream.on('sk-a').always(limited)
    await allServed(200)
    await expect.poll(troubles, { timeout: 15_000, interval: 200 }).toBe(1)
    await allServed(100)
    await mirror.stale()
    expect(await mirror.mount()).toBeNull()
    await expect.poll(troubles, { timeout: 10_000, interval: 200 }).toBe(0)
    const verdict = await ops.auditVerify({})
    expect(verdict).toMatchObject({ ok: true })
    expect(await healthAfterRestart('a')).toBe('cooling')
    const { members } = await ops.poolStatus({ name: 'openai' })
    expect(members.find(({ name }) => name === 'c')?.park).not.toBeNull()
  }, 60_000)
})

describe('F10: a data directory that hangs', () => {
  it('does not delay requests: their 99th percentile stays under a second', async (test) => {
    const mirror = new Mirror(program.beside('real'), program.data, cleanups)
    const why = await mirror.mount()
    test.skip(why !== null, why ?? '')
    await begin()
    mirror.signal('SIGSTOP')
    cleanups.push(() => mirror.signal('SIGCONT'))
    upstream.on('sk-a').always(limited)
    expect(await allServed(400)).toBeLessThan(1_000)
    await expect.poll(troubles, { timeout: 15_000, interval: 200 }).toBe(1)
    expect(await allServed(400)).toBeLessThan(1_000)
    mirror.signal('SIGCONT')
    await expect.poll(troubles, { timeout: 20_000, interval: 200 }).toBe(0)
    expect(await healthAfterRestart('a')).toBe('cooling')
  }, 90_000)
})

describe('F11: a database that is locked from outside', () => {
  it('fails no request, and what happened meanwhile is stored when the lock is gone', async () => {
    await begin()
    const database = new Sqlite(join(program.data, 'spillway.db'))
    cleanups.push(() => database.close())
    database.exec('begin exclusive')
    upstream.on('sk-a').always(limited)
    const end = performance.now() + (full ? 30_000 : 4_000)
    while (performance.now() < end) await allServed(20)
    expect(await troubles()).toBe(1)
    database.exec('rollback')
    await expect.poll(troubles, { timeout: 15_000, interval: 200 }).toBe(0)
    expect(await healthAfterRestart('a')).toBe('cooling')
  }, 90_000)
})
