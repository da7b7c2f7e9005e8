import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Installation, installation } from '../fakes/installation.ts'
import { answer, behind, Gate, happy } from '../fakes/upstream.ts'

const limited = answer(429, { 'retry-after': '5' }, { error: { message: 'slow down', code: 'rate_limit_exceeded' } })

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

  it('meets a member that recovered once more, and then gets the answer of that', async () => {
    spillway.upstream.on('sk-a').always(limited)
    const asked = spillway.ask()
    await expect.poll(async () => (await spillway.ops.poolStatus({ name: 'openai' })).exhausted).toBe(true)
    await spillway.advance(20_000)
    const seen = await asked
    expect([seen.status, seen.headers.get('retry-after')]).toEqual([429, '5'])
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
  const connections = 20
  const each = 500
  const sockets: Socket[] = []

  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy()
  })

  /**
   * Sends `each` requests on one connection without waiting for answers; what comes back is counted by status. In chunks,
   * because plain ones would be served one after the other.
   */
  function pipeline(tally: Map<string, number>): void {
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
    const request = `POST /openai/v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${spillway.key}\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`
    socket.write(request.repeat(each))
  }

  it('are one probe when the cooldown ends, at most 1,000 of them held, and every one is answered', async () => {
    const first = spillway.ask()
    await expect.poll(async () => (await spillway.ops.poolStatus({ name: 'openai' })).exhausted).toBe(true)
    const tally = new Map<string, number>()
    for (let i = 0; i < connections; i++) pipeline(tally)
    // Those beyond the thousand are refused at once: what is left inside are the held ones.
    await inside(1_000)
    await expect
      .poll(() => spillway.daemon.core.engine.pool('openai')?.incident?.refused)
      .toBe(connections * each + 1 - 1_000)
    const gate = new Gate()
    spillway.upstream.forget()
    spillway.upstream.on('sk-a').once(behind(gate, happy))
    await spillway.advance(5_250)
    await gate.reached
    await spillway.advance(1_000)
    expect(spillway.upstream.requests).toHaveLength(1)
    gate.open()
    expect((await first).status).toBe(200)
    const answered = () => [...tally.values()].reduce((sum, count) => sum + count, 0)
    await expect.poll(answered, { timeout: 15_000 }).toBe(connections * each)
    expect(Object.fromEntries(tally)).toEqual({ 200: 999, 429: 9_001 })
    expect(spillway.upstream.requests).toHaveLength(1_000)
    expect(await spillway.audit('pool_exhausted')).toHaveLength(1)
    expect(await spillway.audit('pool_recovered')).toMatchObject([{ detail: { refused: 9_001 } }])
  })
})
