import { afterEach, describe, expect, it } from 'vitest'
import { type Rig, type RigOptions, startRig } from '../../../test/fakes/rig/rig.ts'
import { answer, reset } from '../../../test/fakes/upstream/upstream.ts'

let rig: Rig

afterEach(() => rig.close())

async function probe(options: RigOptions = {}, prepare: () => void = () => {}) {
  rig = await startRig({ members: ['a'], ...options })
  prepare()
  const credential = rig.engine.credentials()[0]?.record
  const pool = rig.engine.pool('pool')?.record
  if (!credential || !pool) throw new Error('the rig has no member')
  return rig.proxy.prober.probe(credential, pool)
}

describe('the canonical probe', () => {
  it('asks with the credential alone', async () => {
    const asked = expect.stringMatching(/^GET http:.*\/v1\/models$/)
    expect(await probe()).toEqual({ finding: 'cleared', reason: 'ok', status: 200, asked })
    const [seen] = rig.upstream.requests
    expect([seen?.method, seen?.target, seen?.credential]).toEqual(['GET', '/v1/models', 'key-a'])
  })

  it.each([
    ['an explicit rejection', answer(401, {}, { error: { code: 'invalid_api_key' } }), 'confirmed', 401],
    ['a bare 401', answer(401), 'confirmed', 401],
    ['a key that may not list models', answer(403, {}, { error: { message: 'restricted' } }), 'inconclusive', 403],
    ['a limit', answer(429, {}, { error: { code: 'rate_limit_exceeded' } }), 'inconclusive', 429],
    ['a fault of the upstream', answer(500), 'inconclusive', 500],
    ['a reset', reset, 'inconclusive', null],
  ] as const)('that meets %s', async (_name, behaviour, finding, status) => {
    const found = await probe({}, () => rig.upstream.on('key-a').always(behaviour))
    expect(found).toMatchObject({ finding, status })
  })

  it('is not possible without a path, and then finds nothing', async () => {
    expect(await probe({ provider: 'generic' })).toMatchObject({ finding: 'inconclusive', status: null })
    expect(rig.upstream.requests).toHaveLength(0)
  })

  it('of a missing secret finds nothing, and says why', async () => {
    const found = await probe({}, () => rig.credentials.missing.set('a', 'unreadable'))
    expect(found).toMatchObject({ finding: 'inconclusive', reason: 'unreadable', status: null, asked: null })
  })

  it.each([
    ['renewed', 'cleared'],
    ['needs-login', 'confirmed'],
    ['unavailable', 'inconclusive'],
  ] as const)('of a login is its refresh: %s', async (renewal, finding) => {
    const found = await probe({ auth: 'oauth' }, () => rig.credentials.renewals.set('a', renewal))
    expect(found.finding).toBe(finding)
    expect(rig.upstream.requests).toHaveLength(0)
  })
})
