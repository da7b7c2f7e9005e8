import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { outboundOf } from '../../../internal/outbound/outbound.ts'
import { type Installation, installation } from '../../fakes/rig/installation.ts'
import { Program } from '../../fakes/rig/program.ts'
import { connectTo } from '../../fakes/rig/websocket-client.ts'
import { webSocketStage } from '../../fakes/rig/websocket-rig.ts'
import { TelegramFake } from '../../fakes/telegram/telegram.ts'
import { selfSigned } from '../../fakes/upstream/certificate.ts'
import { type ForwardProxy, forwardProxy } from '../../fakes/upstream/forward-proxy.ts'
import { answer } from '../../fakes/upstream/upstream.ts'

const limited = answer(429, { 'retry-after': '60' }, { error: { code: 'rate_limit_exceeded' } })

let proxy: ForwardProxy
const ending: (() => Promise<unknown>)[] = []

beforeEach(async () => {
  proxy = await forwardProxy()
})

afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end()
  await proxy.close()
})

/** A pool `openai` of `a` and `b` at a host that only the proxy knows. */
async function behindProxy(env: Record<string, string>, host = 'models.test'): Promise<Installation> {
  const spillway = await installation({ env, config: { 'upstream.connectMs': '2s' } })
  ending.push(() => spillway.close())
  for (const name of ['a', 'b']) await spillway.credential(name)
  const upstream = `http://${host}:${spillway.upstream.port}`
  await spillway.ops.poolCreate({ name: 'openai', provider: 'openai', members: ['a', 'b'], upstream })
  return spillway
}

describe('an upstream behind a proxy', () => {
  it('serves, is probed and fails over through it, and sees neither proxy nor client key', async () => {
    const spillway = await behindProxy({ HTTP_PROXY: proxy.url })
    spillway.upstream.on('sk-a').always(limited)
    expect(await spillway.ask()).toMatchObject({ status: 200 })
    expect(spillway.upstream.served).toEqual(['sk-a', 'sk-b'])
    expect(await spillway.ops.credTest({ name: 'b' })).toMatchObject({ finding: 'cleared' })
    expect(new Set(proxy.tunnels)).toEqual(new Set([`models.test:${spillway.upstream.port}`]))
    for (const request of spillway.upstream.requests)
      for (const name of ['proxy-authorization', 'proxy-connection']) expect(request.headers(name)).toEqual([])
    const rows = await spillway.ops.doctor({})
    expect(rows.find(({ check }) => check === 'outbound proxy')?.message).toBe(`http through ${proxy.url}`)
    expect(rows.find(({ check }) => check.startsWith('upstream http://models.test'))).toMatchObject({
      state: 'warn',
      message: expect.stringMatching(/^reached .* without encryption$/),
    })
  })

  it('gives the proxy its user name and password, which nobody else sees', async () => {
    const spillway = await behindProxy({ http_proxy: `http://me:hush@127.0.0.1:${proxy.port}` })
    expect(await spillway.ask()).toMatchObject({ status: 200 })
    expect(proxy.asked[0]).toBe(`Basic ${Buffer.from('me:hush').toString('base64')}`)
    expect(JSON.stringify(await spillway.ops.doctor({}))).not.toContain('hush')
    expect(spillway.upstream.requests[0]?.headers('proxy-authorization')).toEqual([])
  })

  it('on this machine is reached directly when NO_PROXY says so, and through it when not', async () => {
    const near = await behindProxy({ HTTP_PROXY: proxy.url, NO_PROXY: '127.0.0.1' }, '127.0.0.1')
    expect(await near.ask()).toMatchObject({ status: 200 })
    expect(proxy.tunnels).toEqual([])
    const far = await behindProxy({ HTTP_PROXY: proxy.url, NO_PROXY: 'localhost' }, '127.0.0.1')
    expect(await far.ask()).toMatchObject({ status: 200 })
    expect(proxy.tunnels).toEqual([`127.0.0.1:${far.upstream.port}`])
  })

  it.each([
    ['refuses', 403],
    ['wants a password', 407],
    ['never answers', 0],
  ])(
    'whose proxy %s is unreachable, and no member is blamed',
    async (_name, refusal) => {
      proxy.refusal = refusal
      const spillway = await behindProxy({ HTTP_PROXY: proxy.url })
      const { status } = await spillway.ask()
      expect([502, 503]).toContain(status)
      const { members } = await spillway.ops.poolStatus({ name: 'openai' })
      expect(members.map(({ health }) => health.state)).toEqual(['healthy', 'healthy'])
      expect(spillway.upstream.requests).toEqual([])
    },
    30_000,
  )

  it('comes back by itself when its proxy leads there again', async () => {
    proxy.refusal = 502
    const spillway = await behindProxy({ HTTP_PROXY: proxy.url })
    await spillway.ask()
    expect((await spillway.ops.poolCheck({ name: 'openai' })).verdict).not.toBe('can-serve')
    proxy.refusal = null
    await expect
      .poll(
        async () => {
          await spillway.advance(3_000)
          return (await spillway.ops.poolCheck({ name: 'openai' })).verdict
        },
        { timeout: 20_000 },
      )
      .toBe('can-serve')
    expect(spillway.upstream.requests).toEqual([])
  }, 30_000)

  it('carries WebSockets through the proxy, and fails over there', async () => {
    const outbound = outboundOf({ HTTP_PROXY: proxy.url }, null)
    const { rig, upstream } = await webSocketStage({}, { outbound, host: 'ws.test' })
    ending.push(
      () => upstream.close(),
      () => rig.close(),
    )
    const client = connectTo(rig)
    await client.opened
    client.socket.send('hello')
    await expect.poll(() => client.heard).toEqual(['hello'])
    expect(proxy.tunnels).toEqual([`ws.test:${new URL(upstream.url).port}`])
    client.socket.close()
  })
})

describe('the program behind a proxy', () => {
  it('reaches an upstream over TLS, which the proxy cannot look into', async () => {
    const seen: (string | undefined)[] = []
    const upstream = createSecureServer(selfSigned, (request, response) => {
      seen.push(request.headers.authorization)
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"choices":[]}')
    })
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
    const { port } = upstream.address() as AddressInfo
    const program = new Program()
    ending.push(async () => {
      program.close()
      upstream.closeAllConnections()
      upstream.close()
    })
    const manifest = {
      credentials: { work: { provider: 'openai', source: { env: 'KEY' } } },
      pools: { openai: { provider: 'openai', members: ['work'], upstream: `https://fake.example:${port}` } },
    }
    await program.run(['apply', '-'], { input: JSON.stringify(manifest) })
    const { key } = JSON.parse((await program.run(['key', 'create', 'test', '--json'])).stdout) as { key: string }
    const trusted = program.beside('ca.pem')
    writeFileSync(trusted, selfSigned.cert)
    proxy.knows('fake.example')
    const { origin } = await program.serve({ NODE_EXTRA_CA_CERTS: trusted, HTTPS_PROXY: proxy.url, KEY: 'sk-work' })
    const response = await fetch(`${origin}/openai/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      body: '{}',
    })
    expect(response.status).toBe(200)
    expect(seen).toEqual(['Bearer sk-work'])
    expect(proxy.tunnels).toEqual([`fake.example:${port}`])
  }, 120_000)

  it('does not start with a proxy that it cannot use', async () => {
    const program = new Program()
    ending.push(async () => program.close())
    const ran = program.serve({ HTTPS_PROXY: 'socks5://127.0.0.1:1' })
    await expect(ran).rejects.toThrow('HTTPS_PROXY names a proxy of the kind socks5://')
    expect(await program.run(['status'], { env: { HTTPS_PROXY: 'socks5://127.0.0.1:1' } })).toMatchObject({ code: 0 })
  })
})

describe('notices', () => {
  it('go through the proxy to Telegram and to the webhook', async () => {
    const telegram = await TelegramFake.open({ chats: [42] })
    const posts: string[] = []
    const hook = createServer((request, response) => {
      posts.push(request.url ?? '')
      response.end()
    })
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve))
    const { port } = hook.address() as AddressInfo
    ending.push(
      () => telegram.close(),
      async () => hook.closeAllConnections(),
      async () => hook.close(),
    )
    const spillway = await installation({
      config: {
        'pools.maxWaitMs': '0',
        'notices.telegram.botTokenEnv': 'BOT_TOKEN',
        'notices.telegram.chatIds': '42',
        'notices.telegram.apiRoot': telegram.apiRoot,
        'notices.webhook.url': `http://hook.test:${port}/spillway`,
      },
      env: { BOT_TOKEN: telegram.token, HTTP_PROXY: proxy.url, NO_PROXY: 'models.test' },
    })
    ending.push(() => spillway.close())
    await spillway.pool('openai', ['a'])
    spillway.upstream.on('sk-a').always(limited)
    await spillway.ask()
    await spillway.daemon.core.engine.flush()
    await expect
      .poll(
        async () => {
          await spillway.advance(1_500)
          return [posts.length > 0, telegram.shown(42).length > 0]
        },
        { timeout: 20_000 },
      )
      .toEqual([true, true])
    expect(proxy.tunnels).toContain(`hook.test:${port}`)
    expect(proxy.tunnels).toContain(new URL(telegram.apiRoot).host)
  }, 40_000)
})
