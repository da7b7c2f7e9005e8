import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Installation, installation } from '../../fakes/rig/installation.ts'
import { answer, type Behaviour, Gate, happy } from '../../fakes/upstream/upstream.ts'

const invalid = answer(401, {}, { error: { message: 'Incorrect API key provided', code: 'invalid_api_key' } })
const forbidden = answer(403, {}, { error: { message: 'You have insufficient permissions', code: null } })
const minute = 60_000

let spillway: Installation

beforeEach(async () => {
  spillway = await installation({ config: { 'pools.maxWaitMs': '0' } })
})

afterEach(() => spillway.close())

/** Work and canonical probe answered each in its own way. */
const split = (work: Behaviour, probe: Behaviour): Behaviour => ({
  play: (call) => (call.request.isProbe ? probe : work).play(call),
})

const health = async (member: string, pool = 'openai') =>
  (await spillway.ops.poolStatus({ name: pool })).members.find(({ name }) => name === member)?.health

const probes = () => spillway.upstream.requests.filter((request) => request.isProbe)

/** Waits until so many canonical probes have been sent, and until what they found has put the member into this state. */
async function probed(count: number, state: string, member = 'a', pool = 'openai'): Promise<void> {
  await expect.poll(() => probes().filter(({ over }) => over).length).toBe(count)
  await expect.poll(async () => (await health(member, pool))?.state).toBe(state)
  await spillway.daemon.core.engine.flush()
}

describe('a key that the upstream rejects', () => {
  beforeEach(() => spillway.pool('openai', ['a', 'b']))

  it('is disabled when GET /v1/models confirms it, and told once', async () => {
    spillway.upstream.on('sk-a').always(invalid)
    for (let i = 0; i < 10; i++) expect((await spillway.ask()).status).toBe(200)
    await probed(1, 'disabled')
    expect(probes()).toMatchObject([{ method: 'GET', target: '/v1/models', credential: 'sk-a' }])
    expect(spillway.upstream.served.filter((secret) => secret === 'sk-a')).toHaveLength(1)
    expect(await health('a')).toMatchObject({ state: 'disabled', reason: 'auth-rejected', by: 'upstream', until: null })
    expect(await spillway.audit('cred_disabled')).toHaveLength(1)
    expect(await spillway.audit('cred_failover')).toMatchObject([{ from: 'a', to: 'b', reason: 'auth-rejected' }])
    const { incidents } = await spillway.ops.status({})
    expect(incidents).toMatchObject([{ kind: 'cred_disabled', subject: 'a' }])
  })

  it('is disabled when its probe is refused with a bare 401: nothing but the credential was in it', async () => {
    spillway.upstream.on('sk-a').always(split(invalid, answer(401, {}, 'no')))
    expect((await spillway.ask()).status).toBe(200)
    await probed(1, 'disabled')
    expect(await health('a')).toMatchObject({ state: 'disabled', reason: 'auth-rejected', by: 'upstream', until: null })
    expect(await spillway.audit('cred_disabled')).toHaveLength(1)
  })

  it('is probed without any header of the client', async () => {
    spillway.upstream.on('sk-a').always(invalid)
    await spillway.send('/openai/v1/responses', {
      method: 'POST',
      headers: { authorization: `Bearer ${spillway.key}`, 'openai-organization': 'org-of-somebody', 'x-mine': '1' },
      body: '{}',
    })
    await probed(1, 'disabled')
    const names = probes()[0]!
      .rawHeaders.filter((_, at) => at % 2 === 0)
      .map((name) => name.toLowerCase())
    expect(names.sort()).toEqual(['accept', 'authorization', 'connection', 'host'])
  })

  it('is cleared when the probe is accepted: the fault was the request’s', async () => {
    spillway.upstream.on('sk-a').always(split(invalid, happy))
    expect((await spillway.ask()).status).toBe(200)
    await probed(1, 'healthy')
    expect(await health('a')).toMatchObject({ state: 'healthy' })
    spillway.upstream.on('sk-a').clear()
    spillway.upstream.forget()
    await spillway.ask()
    expect(spillway.upstream.served).toEqual(['sk-a'])
    expect(await spillway.audit('cred_failover')).toEqual([])
  })

  it.each([
    { name: '403, because a restricted key cannot list models', probe: forbidden },
    { name: '404', probe: answer(404, {}, { error: { message: 'not here' } }) },
    { name: '429', probe: answer(429, {}, { error: { message: 'busy' } }) },
    { name: '500', probe: answer(500, {}, { error: { message: 'oops' } }) },
  ])('stays suspect for 300 s and is not disabled when the probe answers $name', async ({ probe }) => {
    spillway.upstream.on('sk-a').always(split(invalid, probe))
    expect((await spillway.ask()).status).toBe(200)
    await probed(1, 'suspect')
    const until = new Date(spillway.clock.now() + 5 * minute).toISOString()
    expect(await health('a')).toMatchObject({ state: 'suspect', until })
    expect(await spillway.audit('cred_disabled')).toEqual([])
    expect(await spillway.audit('cred_suspect')).toHaveLength(1)
  })

  it('is tested by one real request when its suspicion is over, and cleared by it', async () => {
    await spillway.ops.poolSet({ name: 'openai', set: { strategy: 'ordered' } })
    spillway.upstream.on('sk-a').always(split(invalid, forbidden))
    await spillway.ask()
    await probed(1, 'suspect')
    await spillway.advance(5 * minute)
    spillway.upstream.on('sk-a').always(split(happy, forbidden))
    spillway.upstream.forget()
    await spillway.ask()
    expect(spillway.upstream.served).toEqual(['sk-a'])
    expect(await health('a')).toMatchObject({ state: 'healthy' })
  })

  it('stays away twice as long each time, up to an hour', async () => {
    await spillway.ops.poolSet({ name: 'openai', set: { strategy: 'ordered' } })
    spillway.upstream.on('sk-a').always(split(invalid, forbidden))
    const lengths: number[] = []
    for (let i = 1; i <= 6; i++) {
      await spillway.ask()
      await probed(i, 'suspect')
      const until = Date.parse((await health('a'))?.until ?? '')
      lengths.push((until - spillway.clock.now()) / minute)
      await spillway.advance(until - spillway.clock.now())
    }
    expect(lengths).toEqual([5, 10, 20, 40, 60, 60])
    expect(spillway.upstream.served.filter((secret) => secret === 'sk-a')).toHaveLength(6)
  })
})

describe('a suspicion', () => {
  it('costs at most one probe a minute, however often its member is cleared and rejected again', async () => {
    await spillway.pool('openai', ['a', 'b'])
    spillway.upstream.on('sk-a').always(split(invalid, happy))
    for (let i = 0; i < 5; i++) {
      await spillway.ask()
      await spillway.advance(1_000)
    }
    expect(probes()).toHaveLength(1)
    expect(await health('a')).toMatchObject({ state: 'healthy' })
    await spillway.advance(minute)
    await spillway.ask()
    await probed(2, 'healthy')
  })

  it('never disables a member of a generic upstream without a probe path', async () => {
    await spillway.pool('any', ['x', 'y'], { provider: 'generic' })
    spillway.upstream.on('sk-x').always(invalid)
    expect((await spillway.ask('any')).status).toBe(200)
    await spillway.daemon.core.engine.flush()
    expect(await health('x', 'any')).toMatchObject({ state: 'suspect' })
    expect(probes()).toEqual([])
    expect(await spillway.audit('cred_disabled')).toEqual([])
  })

  it('of a generic upstream is decided by the probe path of its pool', async () => {
    await spillway.pool('any', ['x', 'y'], { provider: 'generic' })
    await spillway.ops.poolSet({ name: 'any', set: { probePath: '/whoami/models' } })
    spillway.upstream.on('sk-x').always(invalid)
    await spillway.ask('any')
    await probed(1, 'disabled', 'x', 'any')
    expect(probes()[0]?.target).toBe('/whoami/models')
    expect(await health('x', 'any')).toMatchObject({ state: 'disabled' })
  })

  it('of the only member of a pool is a matter of the request when its probe is accepted', async () => {
    await spillway.pool('openai', ['a'])
    spillway.upstream.on('sk-a').always(split(invalid, happy))
    const seen = await spillway.ask()
    expect(seen.status).toBe(401)
    expect(JSON.parse(seen.text)).toMatchObject({ error: { code: 'invalid_api_key' } })
    await probed(1, 'healthy')
    expect(await spillway.audit('pool_exhausted')).toEqual([])
  })

  it('of the only member of a pool exhausts it when its probe says nothing, or confirms it', async () => {
    await spillway.pool('openai', ['a'])
    spillway.upstream.on('sk-a').always(split(invalid, forbidden))
    const seen = await spillway.ask()
    expect([seen.status, seen.headers.get('retry-after')]).toEqual([429, '300'])
    await probed(1, 'suspect')
    await spillway.pool('second', ['b'])
    spillway.upstream.on('sk-b').always(invalid)
    const lost = await spillway.ask('second')
    expect([lost.status, lost.headers.get('retry-after')]).toEqual([429, '3600'])
    expect(lost.text).toContain('needs a person')
    expect(await health('b', 'second')).toMatchObject({ state: 'disabled' })
  })

  it('does not keep other requests from the only member while it is being probed', async () => {
    await spillway.pool('openai', ['a'])
    const gate = new Gate()
    spillway.upstream
      .on('sk-a')
      .once(invalid)
      .always(split(happy, { play: (call) => gate.pass().then(() => happy.play(call)) }))
    const rejected = spillway.ask()
    await gate.reached
    const other = spillway.ask()
    await expect.poll(() => spillway.daemon.core.engine.find('openai')?.inFlight).toBe(2)
    gate.open()
    expect([(await rejected).status, (await other).status]).toEqual([401, 200])
    expect(await spillway.audit('pool_exhausted')).toEqual([])
  })

  it('of both members of a pool is a matter of the request when the first one’s probe is accepted', async () => {
    await spillway.pool('openai', ['a', 'b'])
    spillway.upstream.on('*').always(split(invalid, happy))
    const seen = await spillway.ask()
    expect(seen.status).toBe(401)
    expect(JSON.parse(seen.text)).toMatchObject({ error: { code: 'invalid_api_key' } })
    await probed(2, 'healthy', 'b')
    expect([await health('a'), await health('b')]).toMatchObject([{ state: 'healthy' }, { state: 'healthy' }])
    expect(await spillway.audit('pool_exhausted')).toEqual([])
  })
})
