import { createHash } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { type Rig, startRig } from '../../fakes/rig/rig.ts'
import { connectTo } from '../../fakes/rig/websocket-client.ts'
import { webSocketStage } from '../../fakes/rig/websocket-rig.ts'
import { answer, stream } from '../../fakes/upstream/upstream.ts'
import { refuses } from '../../fakes/upstream/websocket-upstream.ts'

/** RFC 6455, 1.3. */
const salt = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

let rig: Rig

async function start(members = ['a', 'b']): Promise<void> {
  rig = await startRig({ provider: 'codex', members })
}

afterEach(() => rig.close())

const usedUp = { error: { type: 'usage_limit_reached', message: 'used up', resets_in_seconds: 600 } }
const sealed = { error: { code: 'invalid_encrypted_content', message: 'The encrypted content could not be verified.' } }
const failed = { event: 'response.failed', data: { type: 'response.failed', response: sealed } }
const ask = (headers = {}) => rig.ask({ path: '/responses', headers, body: { stream: true } })

describe('a request with state that another account has sealed', () => {
  it.each([
    ['over HTTP', answer(400, {}, sealed)],
    ['in the stream', stream([failed])],
  ])(
    'and that is refused for it %s right after a failover gets the refusal of the account that owns it',
    async (_name, refusal) => {
      await start()
      rig.upstream.on('key-a').always(answer(429, { 'x-of': 'a' }, usedUp))
      rig.upstream.on('key-b').always(refusal)
      const { status, json, headers } = await ask()
      expect([status, json, headers['x-of']]).toEqual([429, usedUp, 'a'])
      expect(rig.upstream.served).toEqual(['key-a', 'key-b'])
      expect(rig.told.some(({ event }) => event.kind === 'cred_failover')).toBe(false)
      expect(rig.health('b')).toBe('healthy')
    },
  )

  it('that comes again while its owner cools is told when that ends, and nobody is moved or counted out', async () => {
    await start()
    rig.upstream.on('key-a').always(answer(429, {}, usedUp))
    rig.upstream.on('key-b').always(answer(400, {}, sealed))
    await ask()
    const { status, json } = await ask()
    expect([status, json.error]).toMatchObject([429, { type: 'usage_limit_reached' }])
    expect(rig.upstream.served).toEqual(['key-a', 'key-b', 'key-b'])
    expect(rig.told.some(({ event }) => event.kind === 'pool_exhausted')).toBe(false)
    expect(rig.told.some(({ event }) => event.kind === 'cred_failover')).toBe(false)
  })

  it('hears the upstream’s own words where nobody cools', async () => {
    await start()
    rig.upstream.on('key-a').always(answer(400, {}, sealed))
    expect(await ask()).toMatchObject({ status: 400, json: sealed })
    expect(rig.upstream.served).toEqual(['key-a'])
  })
})

describe('the state of a turn that one member has set', () => {
  const states = () =>
    rig.upstream.requests.map((request) => [request.credential, request.header('x-codex-turn-state')])
  const done = { type: 'response.completed', response: { id: 'r', output: [] } }

  it('goes to that member, and to no other', async () => {
    await start()
    const happy = stream([{ event: 'response.completed', data: done }], { 'x-codex-turn-state': 'of-a' })
    rig.upstream.on('key-a').once(happy, happy, answer(429, {}, usedUp))
    expect((await ask()).headers['x-codex-turn-state']).toBe('of-a')
    await ask({ 'x-codex-turn-state': 'of-a' })
    await ask({ 'x-codex-turn-state': 'of-a' })
    expect(states()).toEqual([
      ['key-a', null],
      ['key-a', 'of-a'],
      ['key-a', 'of-a'],
      ['key-b', null],
    ])
  })

  it('that nobody here has set goes on as it is', async () => {
    await start()
    await ask({ 'x-codex-turn-state': 'from before' })
    expect(states()).toEqual([['key-a', 'from before']])
  })

  it('is kept from another member’s WebSocket, too', async () => {
    await start()
    const stage = await webSocketStage({}, { provider: 'codex' })
    await rig.close()
    rig = stage.rig
    stage.upstream.on('key-a', {
      raw(request, socket) {
        const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${salt}`).digest('base64')
        const lines = ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`]
        socket.write(`HTTP/1.1 101 Go\r\n${lines.join('\r\n')}\r\nx-codex-turn-state: of-a\r\n\r\n`)
      },
    })
    const first = connectTo(rig, { path: '/responses' })
    await first.opened
    stage.upstream.on('key-a', refuses(429, usedUp))
    const again = connectTo(rig, { path: '/responses', headers: { 'x-codex-turn-state': 'of-a' } })
    await again.opened
    const seen = stage.upstream.seen.map(({ secret, rawHeaders }) => [secret, rawHeaders.includes('of-a')])
    expect(seen).toEqual([
      ['key-a', false],
      ['key-a', true],
      ['key-b', false],
    ])
    first.socket.terminate()
    again.socket.terminate()
    await stage.upstream.close()
  })
})
