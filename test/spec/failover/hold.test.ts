import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Installation, installation } from '../../fakes/rig/installation.ts'
import { answer, behind, Gate, happy } from '../../fakes/upstream/upstream.ts'

const limitedFor = (seconds: number) =>
  answer(429, { 'retry-after': `${seconds}` }, { error: { message: 'slow down', code: 'rate_limit_exceeded' } })
const limited = limitedFor(5)

let spillway: Installation

beforeEach(async () => {
  spillway = await installation()
  await spillway.pool('openai', ['a'])
  spillway.upstream.on('sk-a').once(limited)
})

afterEach(() => spillway.close())

const inFlight = () => spillway.daemon.core.engine.find('openai')?.inFlight ?? 0

/** Resolves when so many requests are inside the proxy. */
async function inside(count: number): Promise<void> {
  await expect.poll(inFlight, { timeout: 15_000, interval: 5 }).toBe(count)
}

/** Resolves when the member has been asked so many times and cools for the last of them. */
async function refused(times: number): Promise<void> {
  await spillway.upstream.received(times)
  const health = async () => (await spillway.ops.poolStatus({ name: 'openai' })).members[0]?.health.state
  await expect.poll(health).toBe('cooling')
}

describe('a request to a pool that recovers within maxWaitMs', () => {
  it('waits and is served as soon as the member can serve again', async () => {
    const asked = spillway.ask()
    await inside(1)
    await spillway.upstream.received(1)
    await expect.poll(async () => (await spillway.ops.poolStatus({ name: 'openai' })).exhausted).toBe(true)
    await spillway.advance(5_250)
    expect((await asked).status).toBe(200)
    expect(spillway.upstream.served).toEqual(['sk-a', 'sk-a'])
    expect(await spillway.audit('pool_exhausted')).toEqual([])
  })

  it('is served at once when an operator clears the member', async () => {
    const asked = spillway.ask()
    await expect.poll(async () => (await spillway.ops.poolStatus({ name: 'openai' })).exhausted).toBe(true)
    await spillway.ops.poolClear({ name: 'openai', member: 'a' })
    expect((await asked).status).toBe(200)
  })

  it('meets a member that recovered once more, and is told to come again when that has recovered a second time', async () => {
    spillway.upstream.on('sk-a').always(limited)
    const asked = spillway.ask()
    await refused(1)
    await spillway.advance(5_250)
    await refused(2)
    await spillway.advance(5_250)
    const seen = await asked
    expect([seen.status, seen.headers.get('retry-after')]).toEqual([503, '1'])
    expect(JSON.parse(seen.text)).toMatchObject({ error: { code: 'retries_spent' } })
    expect(spillway.upstream.served).toHaveLength(2)
  })

  it('meets a member that recovered once more, and hears when the pool recovers where that refuses for longer', async () => {
    spillway.upstream.on('sk-a').always(limitedFor(60))
    const asked = spillway.ask()
    await refused(1)
    await spillway.advance(5_250)
    const seen = await asked
    expect([seen.status, seen.headers.get('retry-after')]).toEqual([429, '60'])
    expect(JSON.parse(seen.text).error.message).toContain('openai quota exceeded')
    expect(spillway.upstream.served).toHaveLength(2)
  })

  it('is not held when the pool says 0', async () => {
    await spillway.ops.poolSet({ name: 'openai', set: { maxWaitMs: 0 } })
    expect((await spillway.ask()).status).toBe(429)
  })

  it('is forgotten when its client leaves', async () => {
    const gone = new AbortController()
    const asked = fetch(`${spillway.origin}/openai/v1/models`, {
      headers: { authorization: `Bearer ${spillway.key}` },
      signal: gone.signal,
    })
    asked.catch(() => undefined)
    await expect.poll(async () => (await spillway.ops.poolStatus({ name: 'openai' })).exhausted).toBe(true)
    gone.abort()
    await inside(0)
    await spillway.advance(10_000)
    expect(spillway.upstream.requests).toHaveLength(1)
  })
})

describe('10,000 requests that wait for one member (F22)', () => {
  const most = 1_000
  const connections = 20
  const each = 450
  const beyond = connections * each
  const sockets: Socket[] = []

  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy()
  })

  /** Sends so many requests on one connection without waiting for answers; what comes back is counted by status. */
  function pipeline(requests: number, tally: Map<string, number>): void {
    const socket = connect(Number(new URL(spillway.origin).port), '127.0.0.1')
    sockets.push(socket)
    let rest = ''
    socket.on('data', (bytes) => {
      const lines = `${rest}${bytes.toString('latin1')}`.split('\r\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const status = /HTTP\/1\.1 (\d{3}) /.exec(line)?.[1]
        if (status) tally.set(status, (tally.get(status) ?? 0) + 1)
      }
    })
    const request = `POST /openai/v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${spillway.key}\r\nContent-Length: 2\r\n\r\n{}`
    socket.write(request.repeat(requests))
  }

  it('are one probe when the cooldown ends, at most 1,000 of them held, and every one is answered', async () => {
    const first = spillway.ask()
    await refused(1)
    const held = new Map<string, number>()
    // One on each connection: the requests of one connection are served one after the other.
    for (let i = 0; i < most - 1; i++) pipeline(1, held)
    await inside(most)
    const tally = new Map<string, number>()
    for (let i = 0; i < connections; i++) pipeline(each, tally)
    // Those beyond the thousand are refused at once.
    await expect.poll(() => tally.get('429'), { timeout: 15_000 }).toBe(beyond)
    expect([held.size, inFlight()]).toEqual([0, most])
    const gate = new Gate()
    spillway.upstream.forget()
    spillway.upstream.on('sk-a').once(behind(gate, happy))
    await spillway.advance(5_250)
    await gate.reached
    await spillway.advance(1_000)
    expect(spillway.upstream.requests).toHaveLength(1)
    gate.open()
    expect((await first).status).toBe(200)
    await expect.poll(() => held.get('200'), { timeout: 15_000 }).toBe(most - 1)
    expect([[...held.keys()], Object.fromEntries(tally)]).toEqual([['200'], { 429: beyond }])
    expect(spillway.upstream.requests).toHaveLength(most)
    expect(await spillway.audit('pool_exhausted')).toHaveLength(1)
    expect(await spillway.audit('pool_recovered')).toMatchObject([{ detail: { refused: beyond } }])
  })
})

describe('a pool that holds', () => {
  beforeEach(() => spillway.ops.poolSet({ name: 'openai', set: { onExhausted: 'hold' } }))

  it('lets requests wait for a reset that its clients bear to wait for', async () => {
    spillway.upstream.on('sk-a').clear()
    spillway.upstream.on('sk-a').once(limitedFor(40))
    const asked = spillway.ask()
    await refused(1)
    await spillway.advance(41_000)
    await spillway.advance(2_000)
    expect((await asked).status).toBe(200)
    expect(await spillway.audit('pool_exhausted')).toEqual([])
  })

  it('says that it is exhausted after 50 s when the reset is farther away', async () => {
    spillway.upstream.on('sk-a').clear()
    spillway.upstream.on('sk-a').once(limitedFor(600))
    const asked = spillway.ask()
    await refused(1)
    await spillway.advance(49_000)
    expect(inFlight()).toBe(1)
    await spillway.advance(1_500)
    expect((await asked).status).toBe(429)
    expect(await spillway.audit('pool_exhausted')).toHaveLength(1)
  })

  it('waits as long as the operator says', async () => {
    await spillway.ops.poolSet({ name: 'openai', set: { maxWaitMs: '20m' } })
    spillway.upstream.on('sk-a').clear()
    spillway.upstream.on('sk-a').once(limitedFor(600))
    const asked = spillway.ask()
    await refused(1)
    await spillway.advance(640_000)
    expect((await asked).status).toBe(200)
  })
})
