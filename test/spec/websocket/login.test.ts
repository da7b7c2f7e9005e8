import { join } from 'node:path'
import { expect, it } from 'vitest'
import { FakeClock } from '../../../internal/clock/clock.ts'
import { AuthServer } from '../../fakes/auth/auth-server.ts'
import { codexTokens, inTime, writeCodexLogin } from '../../fakes/auth/logins.ts'
import { installation } from '../../fakes/rig/installation.ts'
import { WebSocketClient } from '../../fakes/rig/websocket-client.ts'
import { says, webSocketUpstream } from '../../fakes/upstream/websocket-upstream.ts'

const expired = { type: 'error', status: 401, error: { message: 'Your authentication token has expired.' } }

it('a login whose token runs out on WebSockets is refreshed once, and each client that comes again meets the new token', async () => {
  const auth = await AuthServer.start()
  const upstream = await webSocketUpstream()
  const config = { 'oauth.codex.tokenUrl': auth.tokenUrl }
  const spillway = await installation({ clock: new FakeClock(Date.now()), config })
  try {
    const file = join(spillway.data, 'home.json')
    const { accessToken, ...rest } = auth.login('person')
    writeCodexLogin(file, { accessToken, ...rest })
    await spillway.ops.credImport({ tool: 'codex', path: file })
    const pool = { name: 'codex', provider: 'codex', members: ['codex'], upstream: upstream.url }
    await spillway.ops.poolCreate(pool)
    const open = () => {
      const url = `${spillway.origin.replace('http:', 'ws:')}/codex/responses`
      return new WebSocketClient(url, [], { authorization: `Bearer ${spillway.key}` })
    }
    upstream.on(accessToken, says(expired))
    const clients = [open(), open(), open()]
    const ends = await inTime(spillway, Promise.all(clients.map(({ ended }) => ended)))
    expect(ends.map(({ code }) => code)).toEqual([1012, 1012, 1012])
    expect(clients.flatMap(({ heard }) => heard)).toEqual([])
    expect(codexTokens(file).access_token).not.toBe(accessToken)
    expect(auth.history.filter(({ result }) => result === 'granted')).toHaveLength(1)
    const again = open()
    again.socket.on('open', () => again.socket.send('hello'))
    await expect.poll(() => again.heard).toEqual(['hello'])
    expect(upstream.secrets.at(-1)).toBe(codexTokens(file).access_token)
    expect((await spillway.ops.credShow({ name: 'codex' })).health.state).toBe('healthy')
    expect(await spillway.audit('cred_suspect')).toEqual([])
    again.socket.close()
  } finally {
    await spillway.close()
    await upstream.close()
    await auth.stop()
  }
})
