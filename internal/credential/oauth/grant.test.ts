import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { AuthServer } from '../../../test/fakes/auth/auth-server.ts'
import { credentialRecord } from '../../../test/fakes/rig/records.ts'
import { forwardProxy } from '../../../test/fakes/upstream/forward-proxy.ts'
import { FakeClock } from '../../clock/clock.ts'
import { directly, outboundOf } from '../../outbound/outbound.ts'
import type { CredentialRecord } from '../../store/store.ts'
import { Secret } from '../../vault/vault.ts'
import { type Endpoint, endpointOf, refreshFields } from './endpoint.ts'
import { type GrantResult, grant, grantMs } from './grant.ts'
import type { TokenSet } from './tokens.ts'

let server: AuthServer
let clock: FakeClock
beforeEach(async () => {
  server = await AuthServer.start()
  clock = new FakeClock()
})
afterEach(() => server.stop())

function credential(format: string, settings: Partial<CredentialRecord> = {}): CredentialRecord {
  const source = { kind: 'file', path: '/nowhere', format } as const
  return credentialRecord({ id: 'c1', name: 'work', provider: 'codex', auth: 'oauth', source, ...settings })
}

function tokens(refreshToken: string): TokenSet {
  return {
    accessToken: new Secret('a-0'),
    refreshToken: new Secret(refreshToken),
    expiresAt: null,
    accountId: 'acc',
    scope: 'x y',
    idToken: null,
  }
}

async function present(refreshToken: string, endpoint: Endpoint): Promise<GrantResult> {
  const before = tokens(refreshToken)
  const fields = refreshFields(endpoint, {
    refreshToken: new Secret(refreshToken),
    scope: before.scope,
    clientSecret: null,
  })
  return grant(clock, { endpoint, fields, before, outbound: directly })
}

const own = (): Endpoint => endpointOf(credential('codex'), { codex: { tokenUrl: server.tokenUrl, clientId: null } })

test('a good refresh token buys the next tokens, and what the answer does not name stays', async () => {
  const { refreshToken } = server.login('work')
  const result = await present(refreshToken, own())
  expect(result).toMatchObject({
    kind: 'granted',
    tokens: { expiresAt: clock.now() + 3_600_000, accountId: 'acc', scope: 'x y' },
  })
  if (result.kind !== 'granted') return
  expect(server.accepts(result.tokens.accessToken.reveal())).toBe(true)
  expect(result.tokens.refreshToken?.reveal()).toBe(server.history[0]?.issued)
})

test('the old refresh token stays when none is returned', async () => {
  await server.stop()
  server = await AuthServer.start({ rotates: false })
  const { refreshToken } = server.login('work')
  const result = await present(refreshToken, own())
  expect(result.kind === 'granted' && result.tokens.refreshToken?.reveal()).toBe(refreshToken)
})

const encodings = [
  {
    login: 'codex',
    type: 'application/json',
    fields: { client_id: 'app_EMoamEEZ73f0CkXaXp7hrann', grant_type: 'refresh_token' },
  },
  {
    login: 'claude',
    type: 'application/json',
    fields: { client_id: '9d1c250a-e61b-44d9-88ed-5944d1962f5e', scope: 'x y' },
  },
  { login: 'gemini', type: 'application/x-www-form-urlencoded', fields: { client_id: 'configured' } },
  { login: 'oauth', type: 'application/x-www-form-urlencoded', fields: { client_id: 'configured' } },
]
test.each(encodings)('each login has its own form of the request: $login', async ({ login, type, fields }) => {
  const clientId = 'client_id' in fields && fields.client_id === 'configured' ? 'configured' : null
  const settings = { tokenUrl: server.tokenUrl, clientId, clientSecretFile: '/none' }
  await present(server.login('work').refreshToken, endpointOf(credential(login), { [login]: settings }))
  expect(server.requests[0]?.contentType).toBe(type)
  expect(server.requests[0]?.fields).toMatchObject(fields)
  expect('scope' in (server.requests[0]?.fields ?? {})).toBe(login === 'claude')
})

test.each([
  { name: 'a revoked login', refusal: 'invalid_grant', result: { kind: 'refused', raced: false } },
  {
    name: 'a token that somebody else used',
    refusal: 'refresh_token_reused',
    result: { kind: 'refused', raced: true },
  },
])('$name is told from a passing failure', async ({ refusal, result }) => {
  await server.stop()
  server = await AuthServer.start({ refusal })
  server.login('work')
  expect(await present('r-unknown', own())).toEqual(result)
})

test.each([429, 500, 503])('status %i says nothing about the token', async (status) => {
  const { refreshToken } = server.login('work')
  server.trouble(status)
  expect(await present(refreshToken, own())).toMatchObject({ kind: 'passing', why: `HTTP status ${status}` })
})

test('an answer that is lost after the request was sent leaves the token uncertain', async () => {
  const { refreshToken } = server.login('work')
  server.trouble('lost')
  expect(await present(refreshToken, own())).toMatchObject({ kind: 'lost' })
  expect(server.history).toMatchObject([{ result: 'lost', presented: refreshToken }])
})

test('an answer that does not come is given up at the deadline, and the token is uncertain', async () => {
  const { refreshToken } = server.login('work')
  server.trouble('hang')
  const result = present(refreshToken, own())
  while (server.history.length === 0) await new Promise((resolve) => setImmediate(resolve))
  await clock.advance(grantMs + 1_000)
  expect(await result).toEqual({ kind: 'lost', why: 'no answer within 20 s' })
})

test('a server that cannot be reached has not seen the token', async () => {
  const closed = createServer()
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
  const { port } = closed.address() as AddressInfo
  await new Promise((resolve) => closed.close(resolve))
  const endpoint = { ...own(), url: `http://127.0.0.1:${port}/` }
  expect(await present('r-1', endpoint)).toEqual({ kind: 'passing', why: 'ECONNREFUSED', retryAfterMs: null })
  expect(await present('r-1', { ...own(), url: `${server.origin.replace('http', 'https')}/` })).toMatchObject({
    kind: 'passing',
  })
})

test('what a login lacks is named', () => {
  expect(() => endpointOf(credential('gemini'), {})).toThrow('set oauth.gemini.clientId')
  const set = { gemini: { tokenUrl: null, clientId: 'x', clientSecretFile: null } }
  expect(() => endpointOf(credential('gemini'), set)).toThrow('set oauth.gemini.clientSecretFile')
  expect(() => endpointOf(credential('json:access_token=a'), {})).toThrow('no token endpoint')
})

test('what the credential says of its endpoint wins over the configuration', () => {
  const oauth = { login: 'codex', tokenUrl: 'http://own/', clientId: 'me', clientSecretFile: null, scope: null }
  const endpoint = endpointOf(credential('codex', { oauth }), { codex: { tokenUrl: 'http://set/', clientId: 'set' } })
  expect(endpoint).toMatchObject({ url: 'http://own/', clientId: 'me', encoding: 'json' })
})

test('a token endpoint behind a proxy is asked through it', async () => {
  const proxy = await forwardProxy()
  const { refreshToken } = server.login('work')
  const before = tokens(refreshToken)
  const endpoint = own()
  const given = { refreshToken: new Secret(refreshToken), scope: before.scope, clientSecret: null }
  const outbound = outboundOf({ HTTP_PROXY: proxy.url }, null)
  const result = await grant(clock, { endpoint, fields: refreshFields(endpoint, given), before, outbound })
  expect(result.kind).toBe('granted')
  expect(proxy.tunnels).toEqual([new URL(server.tokenUrl).host])
  await proxy.close()
})
