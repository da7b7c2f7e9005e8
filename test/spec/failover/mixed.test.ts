import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Installation, installation } from '../../fakes/rig/installation.ts'
import { answer } from '../../fakes/upstream/upstream.ts'

let spillway: Installation

beforeEach(async () => {
  spillway = await installation()
})

afterEach(() => spillway.close())

const limited = answer(429, { 'retry-after': '600' }, { error: { code: 'rate_limit_exceeded', message: 'slow' } })

async function credential(name: string, provider: string, base: string): Promise<void> {
  const source = { kind: 'vault' as const, secret: `sk-${name}` }
  await spillway.ops.credAdd({ name, provider, source, baseUrl: `${spillway.upstream.url}${base}` })
}

it('a pool of one family puts the path under the base URL of each member, and the key where its provider wants it', async () => {
  await credential('login', 'codex', '/backend-api/codex')
  await credential('key', 'openai', '')
  await credential('cloud', 'azure', '/openai/v1')
  await spillway.ops.poolCreate({ name: 'team', provider: 'codex', members: ['login', 'key', 'cloud'] })
  await spillway.ops.poolTune({ name: 'team', member: 'key', tier: 2 })
  await spillway.ops.poolTune({ name: 'team', member: 'cloud', tier: 3 })
  for (const key of ['sk-login', 'sk-key']) spillway.upstream.on(key).always(limited)
  const answered = await spillway.send('/team/responses', {
    method: 'POST',
    headers: { authorization: `Bearer ${spillway.key}`, 'chatgpt-account-id': 'acct-1' },
    body: JSON.stringify({ model: 'm', input: 'x' }),
  })
  expect(answered.status).toBe(200)
  const seen = spillway.upstream.requests.filter(({ isProbe }) => !isProbe)
  expect(seen.map(({ path, credential: secret }) => [path, secret])).toEqual([
    ['/backend-api/codex/responses', 'sk-login'],
    ['/v1/responses', 'sk-key'],
    ['/openai/v1/responses', 'sk-cloud'],
  ])
  expect(seen.map((one) => [one.header('authorization'), one.header('api-key')])).toEqual([
    ['Bearer sk-login', null],
    ['Bearer sk-key', null],
    [null, 'sk-cloud'],
  ])
  expect(seen.slice(1).map((one) => one.header('chatgpt-account-id'))).toEqual([null, null])
})

it('members of another family are refused', async () => {
  await credential('key', 'openai', '')
  await credential('claude', 'anthropic', '')
  await spillway.ops.poolCreate({ name: 'team', provider: 'openai', members: ['key'] })
  await expect(spillway.ops.poolAdd({ name: 'team', member: 'claude' })).rejects.toThrow(
    'claude is a credential of anthropic and cannot be in team, a pool of openai',
  )
})
