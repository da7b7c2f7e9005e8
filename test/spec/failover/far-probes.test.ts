import { afterEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../../../internal/clock/clock.ts'
import { type Rig, type RigOptions, startRig } from '../../fakes/rig/rig.ts'
import { answer } from '../../fakes/upstream/upstream.ts'

let rig: Rig
let clock: FakeClock

afterEach(() => rig.close())

const hour = 3_600_000
const used = (seconds: number) =>
  answer(429, {}, { error: { type: 'usage_limit_reached', message: 'used up', resets_in_seconds: seconds } })
const usedUp = used(432_000)
/** The same without a word about its end. */
const bare = answer(429, {}, { error: { type: 'usage_limit_reached', message: 'used up' } })

async function start(options: RigOptions = {}): Promise<void> {
  clock = new FakeClock()
  rig = await startRig({ clock, members: ['a', 'b'], ...options })
}

async function asks(times: number): Promise<string[]> {
  const before = rig.upstream.served.length
  for (let i = 0; i < times; i++) expect((await rig.ask()).status).toBe(200)
  return rig.upstream.served.slice(before)
}

/** When the cooldown of `a` ends, in hours from the beginning. */
const endOf = () => {
  const health = rig.engine.pool('pool')?.members[0]?.health
  return health?.state === 'cooling' ? Math.round((health.until - began) / hour) : null
}
let began = 0

describe('a member that cools for days beside one that serves', () => {
  it('is tested by one request in six hours, which is served by the other when it is refused', async () => {
    await start()
    began = clock.now()
    rig.upstream.on('key-a').once(usedUp, used(410_400), bare)
    expect(await asks(2)).toEqual(['key-a', 'key-b', 'key-b'])
    await clock.advance(5.9 * hour)
    expect(await asks(2)).toEqual(['key-b', 'key-b'])
    await clock.advance(1.7 * hour)
    expect(await asks(3)).toEqual(['key-a', 'key-b', 'key-b', 'key-b'])
    expect(endOf()).toBe(122)
    await clock.advance(5.9 * hour)
    expect(await asks(2)).toEqual(['key-b', 'key-b'])
    await clock.advance(1.7 * hour)
    expect(await asks(2)).toEqual(['key-a', 'key-b', 'key-b'])
    expect(endOf()).toBe(122)
    await clock.advance(7.6 * hour)
    expect(await asks(1)).toEqual(['key-a'])
    expect(rig.health('a')).toBe('healthy')
    expect(rig.told.filter(({ event }) => event.kind === 'cred_failover')).toHaveLength(1)
  })

  it.each<[string, RigOptions, () => Promise<unknown>]>([
    ['a login whose provider can be asked', { provider: 'codex', auth: 'oauth' }, async () => {}],
    ['a member that is parked', {}, () => rig.engine.park('pool', 'a', null, 'test')],
    ['a backup of one that serves', {}, () => rig.engine.tune('pool', 'a', { tier: 2 }, 'test')],
  ])('but not %s', async (_name, options, change) => {
    await start(options)
    rig.upstream.on('key-a').once(usedUp)
    await asks(1)
    await change()
    await clock.advance(24 * hour)
    expect([rig.health('a'), await asks(1)]).toEqual(['cooling', ['key-b']])
  })

  it('is not tested by a request that asks no model, or cannot be sent again', async () => {
    await start({ replay: { maxBodyBytes: 10 } })
    rig.upstream.on('key-a').once(usedUp)
    await asks(1)
    await clock.advance(24 * hour)
    await rig.ask({ method: 'GET', path: '/v1/models' })
    await rig.ask({ body: 'x'.repeat(100) })
    expect(rig.upstream.served.slice(-2)).toEqual(['key-b', 'key-b'])
    expect(await asks(1)).toEqual(['key-a'])
  })

  it('is tested one a minute where several are due', async () => {
    await start({ members: ['a', 'b', 'c'] })
    rig.upstream.on('key-a').always(usedUp)
    rig.upstream.on('key-b').always(usedUp)
    await asks(1)
    await clock.advance(8 * hour)
    expect(await asks(2)).toEqual(['key-a', 'key-c', 'key-c'])
    await clock.advance(60_000)
    expect(await asks(2)).toEqual(['key-b', 'key-c', 'key-c'])
  })
})
