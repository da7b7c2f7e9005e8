import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Installation, installation } from '../../fakes/rig/installation.ts'

let spillway: Installation

beforeEach(async () => {
  spillway = await installation()
  await spillway.pool('openai', ['a'])
  await spillway.pool('claude', ['c'], { provider: 'anthropic' })
})

afterEach(() => spillway.close())

const asking = (key: string | null) => (key === null ? {} : { headers: { authorization: `Bearer ${key}` } })

describe('client keys', () => {
  it.each([
    { name: 'no key', key: null, status: 401, code: 'missing_key' },
    { name: 'an unknown key', key: 'sk-spillway-0000000000000000-x', status: 401, code: 'unknown_key' },
  ])('answer $name with $status in the shape of the dialect', async ({ key, status, code }) => {
    const seen = await spillway.send('/openai/v1/models', asking(key))
    expect(seen.status).toBe(status)
    expect(JSON.parse(seen.text)).toMatchObject({ error: { code } })
    expect(spillway.upstream.requests).toHaveLength(0)
  })

  it('open only the pools that they are for', async () => {
    const { key } = await spillway.ops.keyCreate({ name: 'ci', pools: ['openai'] })
    expect((await spillway.send('/openai/v1/models', asking(key))).status).toBe(200)
    const refused = await spillway.send('/claude/v1/models', { headers: { 'x-api-key': key } })
    expect(refused.status).toBe(403)
    expect(JSON.parse(refused.text)).toMatchObject({ type: 'error' })
  })

  it('close at once when they are revoked', async () => {
    const { key } = await spillway.ops.keyCreate({ name: 'ci' })
    expect((await spillway.send('/openai/v1/models', asking(key))).status).toBe(200)
    await spillway.ops.keyRevoke({ name: 'ci' })
    expect((await spillway.send('/openai/v1/models', asking(key))).status).toBe(401)
  })

  it('of 2,000 wrong guesses one row tells, and nothing else is written (A16)', async () => {
    const rows = (await spillway.audit()).length
    for (let i = 0; i < 2_000; i++) await spillway.send('/openai/v1/models', asking(`sk-spillway-guess-${i}`))
    await spillway.advance(30_000)
    expect((await spillway.audit()).slice(rows)).toMatchObject([{ kind: 'keys_guessed', detail: { attempts: 2_000 } }])
  })
})
