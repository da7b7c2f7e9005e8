import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Installation, installation, type Seen } from '../../fakes/rig/installation.ts'
import { selfSigned } from '../../fakes/upstream/certificate.ts'

let spillway: Installation
const cleanups: (() => unknown)[] = []

beforeEach(async () => {
  spillway = await installation({ config: { 'pools.maxWaitMs': '0' } })
})

afterEach(async () => {
  await spillway.close()
  for (const clean of cleanups.splice(0)) await clean()
})

function listen(server: Server, port = 0): Promise<number> {
  return new Promise((resolve) =>
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  )
}

/** A port of this machine on which nothing listens. */
async function closedPort(): Promise<number> {
  const server = createServer()
  const port = await listen(server)
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** The origin of a server with a certificate that nobody has signed. */
async function untrusted(): Promise<string> {
  const server = createTlsServer(selfSigned, (_request, response) => response.end('{}'))
  const port = await listen(server)
  cleanups.push(() => server.close())
  return `https://127.0.0.1:${port}`
}

/** A pool of three members before one upstream. */
async function poolAt(upstream: string, members = ['a', 'b', 'c']): Promise<void> {
  for (const member of members) await spillway.credential(member)
  await spillway.ops.poolCreate({ name: 'openai', provider: 'openai', members, upstream })
}

const members = async () => (await spillway.ops.poolStatus({ name: 'openai' })).members
const retryAfter = ({ headers }: Seen) => Number(headers.get('retry-after'))

async function nobodyIsBlamed(): Promise<void> {
  for (const { health } of await members()) expect(health.state).toBe('healthy')
  for (const kind of ['cred_cooled', 'cred_suspect', 'cred_failover', 'cred_disabled', 'pool_exhausted'])
    expect(await spillway.audit(kind)).toEqual([])
}

describe('an upstream that cannot be reached (F13)', () => {
  it.for([
    { name: 'because it refuses connections', origin: async () => `http://127.0.0.1:${await closedPort()}` },
    {
      name: 'because its certificate is not trusted',
      origin: untrusted,
    },
    { name: 'because its name does not exist', origin: async () => 'http://no-such-host.invalid' },
  ])('$name blames no credential, after at most two attempts', async ({ origin }) => {
    await poolAt(await origin())
    const first = await spillway.ask()
    expect([502, 503]).toContain(first.status)
    expect(Number(first.headers.get('x-spillway-attempts'))).toBeLessThanOrEqual(2)
    expect(retryAfter(first)).toBeGreaterThan(0)
    expect(JSON.parse(first.text)).toMatchObject({ error: { code: 'upstream_unreachable' } })
    const second = await spillway.ask()
    expect([second.status, second.headers.get('x-spillway-attempts')]).toEqual([503, '0'])
    expect(retryAfter(second)).toBeGreaterThan(0)
    await nobodyIsBlamed()
    expect(await spillway.audit('host_down')).toHaveLength(1)
  })
})

describe('the host of an upstream', () => {
  it('is tried again after 1 s, 2 s, 4 s … up to a minute, without a request', async () => {
    await poolAt(`http://127.0.0.1:${await closedPort()}`)
    await spillway.ask()
    const nextTry = async () =>
      Date.parse((await spillway.ops.poolStatus({ name: 'openai' })).unreachable?.retryAt ?? '')
    const waits: number[] = []
    for (let i = 0; i < 8; i++) {
      const at = await nextTry()
      waits.push((at - spillway.clock.now()) / 1_000)
      await spillway.advance(at - spillway.clock.now())
      await expect.poll(nextTry).toBeGreaterThan(at)
    }
    const seen = await spillway.ask()
    expect([seen.status, seen.headers.get('x-spillway-attempts')]).toEqual([503, '0'])
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60])
    await nobodyIsBlamed()
    // One outage is one row, however long it lasts.
    expect(await spillway.audit('host_down')).toHaveLength(1)
  })

  it('is told to be away again, once that has lasted, when it was back for a moment only', async () => {
    const port = await closedPort()
    await poolAt(`http://127.0.0.1:${port}`)
    await spillway.ask()
    const server = createServer((_request, response) => response.setHeader('connection', 'close').end('{}'))
    await listen(server, port)
    await spillway.advance(1_000)
    expect((await spillway.ask()).status).toBe(200)
    await new Promise((resolve) => server.close(resolve))
    for (let i = 0; i < 8; i++) await spillway.advance(retryAfter(await spillway.ask()) * 1_000)
    expect(await spillway.audit('host_down')).toHaveLength(2)
  })

  it('keeps its next attempt over a restart', async () => {
    await poolAt(`http://127.0.0.1:${await closedPort()}`)
    await spillway.ask()
    await spillway.daemon.core.engine.flush()
    await spillway.restart()
    const seen = await spillway.ask()
    expect([seen.status, seen.headers.get('x-spillway-attempts')]).toEqual([503, '0'])
  })

  it('serves again with the same member when it is back', async () => {
    const port = await closedPort()
    await poolAt(`http://127.0.0.1:${port}`)
    await spillway.ask()
    const seen: (string | undefined)[] = []
    const server = createServer((request, response) => {
      seen.push(request.headers.authorization)
      response.end('{}')
    })
    await listen(server, port)
    cleanups.push(
      () => server.closeAllConnections(),
      () => server.close(),
    )
    await spillway.advance(1_000)
    for (let i = 0; i < 3; i++) expect((await spillway.ask()).status).toBe(200)
    expect(seen).toEqual(Array(3).fill('Bearer sk-a'))
    await nobodyIsBlamed()
    expect(await spillway.audit('host_up')).toHaveLength(1)
  })

  it('does not keep members on other hosts from serving, in the same call', async () => {
    await spillway.credential('away', { baseUrl: `http://127.0.0.1:${await closedPort()}` })
    await spillway.credential('here')
    await spillway.ops.poolCreate({
      name: 'openai',
      provider: 'openai',
      members: ['away', 'here'],
      upstream: spillway.upstream.url,
    })
    for (let i = 0; i < 3; i++) expect((await spillway.ask()).status).toBe(200)
    expect(spillway.upstream.served).toEqual(Array(3).fill('sk-here'))
    for (const { health } of await members()) expect(health.state).toBe('healthy')
    const { members: explained } = await spillway.ops.poolExplain({ name: 'openai' })
    expect(explained[0]).toMatchObject({ name: 'away', serves: false, why: 'host' })
  })
})
