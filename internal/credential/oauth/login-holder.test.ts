import { describe, expect, test } from 'vitest'
import {
  begin,
  hour,
  inVault,
  keepInVault,
  now,
  process,
  rig,
  settled,
  until,
  useLoginRig,
} from '../../../test/fakes/rig/logins.ts'
import { Secret } from '../../vault/vault.ts'
import { NoMaterial } from '../credential.ts'

useLoginRig()

describe('a login in the vault', () => {
  test('serves its token from memory and refreshes it ahead of its end, once, while it goes on serving', async () => {
    await keepInVault(hour)
    const first = now()
    expect(first).toMatchObject({ injection: { kind: 'bearer-token', accountId: 'acc' }, generation: 1 })
    await rig.clock.advance(hour - 10 * 60_000)
    expect(rig.server.history).toEqual([])
    await rig.clock.advance(4 * 60_000)
    for (let i = 0; i < 50; i++) expect(now().injection.secret).toBe(first.injection.secret)
    await until(() => now().generation === 2)
    expect(rig.server.accepts(now().injection.secret)).toBe(true)
    expect(rig.server.history).toHaveLength(1)
    expect(rig.told).toEqual(['granted'])
  })

  test('an ended token is refreshed before it is given out, once for everybody who waits', async () => {
    await keepInVault(1)
    await rig.clock.advance(2)
    const waiting = Array.from({ length: 20 }, async () => rig.live.material(inVault))
    const materials = await settled(Promise.all(waiting))
    expect(new Set(materials.map((each) => each.injection.secret)).size).toBe(1)
    expect(rig.server.accepts(materials[0]?.injection.secret ?? '')).toBe(true)
    expect(rig.server.history).toHaveLength(1)
  })

  test('an expired answer forces one refresh for all who report it, and a late report of the old token none', async () => {
    await keepInVault(hour)
    const { generation } = now()
    const renewals = await settled(Promise.all(Array.from({ length: 20 }, () => rig.live.renew(inVault, generation))))
    expect(new Set(renewals)).toEqual(new Set(['renewed']))
    expect(await settled(rig.live.renew(inVault, generation))).toBe('renewed')
    expect(rig.server.history).toHaveLength(1)
    expect(now().generation).toBe(generation + 1)
  })

  test('survives a restart with the refreshed token', async () => {
    await keepInVault(hour)
    await settled(rig.live.renew(inVault, 1))
    const { secret } = now().injection
    await rig.live.stop()
    rig.live = process()
    const { secrets } = await rig.store.load()
    rig.live.add([inVault], secrets)
    expect(now().injection.secret).toBe(secret)
  })

  test('a revoked login costs one call and one verdict, and then there is silence for 16 days', async () => {
    await keepInVault(hour)
    rig.server.revoke('work')
    expect(await settled(rig.live.renew(inVault, 1))).toBe('needs-login')
    for (let day = 0; day < 16; day++) {
      await rig.clock.advance(24 * hour)
      expect(await settled(rig.live.renew(inVault, 1))).toBe('needs-login')
      expect(() => now()).toThrow(NoMaterial)
    }
    expect(rig.server.history).toHaveLength(1)
    expect(rig.told).toEqual(['dead', 'needs login 7 refresh-rejected'])
  })

  test('a refused token is not presented again after a restart', async () => {
    await keepInVault(hour)
    rig.server.revoke('work')
    await settled(rig.live.renew(inVault, 1))
    await rig.live.stop()
    rig.live = process()
    rig.live.add([inVault], (await rig.store.load()).secrets)
    expect(await settled(rig.live.renew(inVault, 1))).toBe('needs-login')
    expect(rig.server.history).toHaveLength(1)
  })

  test('a failing token endpoint backs off the refresh and nothing else', async () => {
    await keepInVault(hour)
    rig.server.trouble(500, 503, 429)
    expect(await settled(rig.live.renew(inVault, 1))).toBe('unavailable')
    expect(now().generation).toBe(1)
    expect(await settled(rig.live.renew(inVault, 1))).toBe('unavailable')
    expect(rig.server.history).toHaveLength(1)
    // It falls due 7.5 minutes ahead of the token's end.
    await rig.clock.advance(hour - 451_000)
    await until(() => rig.server.history.length >= 4)
    await until(() => now().generation === 2)
    expect(rig.told).toEqual(['later', 'later', 'later', 'granted'])
  })

  test('an ended token whose refresh backs off says when to ask again', async () => {
    await keepInVault(1)
    await rig.clock.advance(2)
    rig.server.trouble(500)
    await expect(settled(Promise.resolve(rig.live.material(inVault)))).rejects.toMatchObject({
      reason: 'auth-expired',
      retryAt: expect.any(Number),
    })
    expect(() => now()).toThrow('HTTP status 500')
    expect(rig.server.history).toHaveLength(1)
  })

  test('a refresh that fails before the secrets have been looked through is no secret that cannot be read', async () => {
    await keepInVault(-1)
    rig.server.trouble(500)
    const waiting = Promise.resolve(rig.live.material(inVault))
    await expect(waiting).rejects.toThrow('HTTP status 500')
    await rig.clock.advance(25)
    expect(rig.told).toEqual(['later'])
  })

  test('a member that was suspected for want of a token is trusted again when there is one', async () => {
    await keepInVault(1)
    await rig.clock.advance(2)
    rig.server.trouble(500)
    await expect(settled(Promise.resolve(rig.live.material(inVault)))).rejects.toThrow(NoMaterial)
    rig.health = {
      state: 'suspect',
      reason: 'auth-expired',
      since: rig.clock.now(),
      until: rig.clock.now() + 300_000,
      strikes: 1,
    }
    await rig.clock.advance(10_000)
    await until(() => rig.told.includes('replaced by login'))
    expect(rig.server.accepts(now().injection.secret)).toBe(true)
  })

  test('a request does not wait longer than 10 s for a token, and the refresh goes on without it', async () => {
    await keepInVault(1)
    await rig.clock.advance(2)
    rig.server.barrier(2)
    const waiting = Promise.resolve(rig.live.material(inVault))
    waiting.catch(() => {})
    await until(() => rig.server.requests.length === 1)
    await rig.clock.advance(10_000)
    await expect(waiting).rejects.toMatchObject({ reason: 'auth-expired', retryAt: expect.any(Number) })
    expect(() => now()).toThrow('is still being refreshed')
    await fetch(rig.server.tokenUrl, { method: 'POST', body: new URLSearchParams({ grant_type: 'refresh_token' }) })
    await until(
      () => rig.live.problems().length === 0 && rig.server.history.length === 2 && rig.told.includes('granted'),
    )
    expect(now().generation).toBe(2)
  })

  test('a lost answer makes the token uncertain: it is presented once more, and a strict server ends it', async () => {
    await keepInVault(hour)
    rig.server.trouble('lost')
    expect(await settled(rig.live.renew(inVault, 1))).toBe('unavailable')
    expect((await rig.store.refreshState('c1')).row?.intent).toMatchObject({ presented: 1 })
    await rig.clock.advance(10_000)
    expect(await settled(rig.live.renew(inVault, 1))).toBe('needs-login')
    expect(rig.server.history.map((entry) => entry.result)).toEqual(['lost', 'refused'])
    expect(rig.told).toEqual(['later', 'dead', 'needs login 7 refresh-rejected'])
  })

  test('a lost answer of a server with a grace period harms nothing', async () => {
    await begin({ reuse: 'grace' })
    await keepInVault(hour)
    rig.server.trouble('lost')
    await settled(rig.live.renew(inVault, 1))
    await rig.clock.advance(10_000)
    expect(await settled(rig.live.renew(inVault, 1))).toBe('renewed')
    expect(rig.server.accepts(now().injection.secret)).toBe(true)
  })

  test('a silent server that leaves nothing to serve with needs a person, and revives the login when it speaks', async () => {
    await keepInVault(1)
    await rig.clock.advance(2)
    rig.server.trouble('lost', 'lost')
    rig.server.treatReuse('grace')
    await until(() => rig.told.length === 1)
    await rig.clock.advance(6_000)
    await until(() => rig.told.includes('needs login 7 refresh-uncertain'))
    await rig.clock.advance(12_000)
    await until(() => rig.told.includes('replaced by login'))
    expect(rig.server.accepts(now().injection.secret)).toBe(true)
  })

  test('upstreams that refuse every token cannot make it turn over more often than 3 times in 3 minutes', async () => {
    await keepInVault(hour)
    const answers = []
    for (let i = 1; i <= 10; i++) answers.push(await settled(rig.live.renew(inVault, now().generation)))
    expect(answers.filter((answer) => answer === 'renewed')).toHaveLength(3)
    expect(rig.server.history).toHaveLength(3)
    await rig.clock.advance(180_000)
    expect(await settled(rig.live.renew(inVault, now().generation))).toBe('renewed')
  })

  test('no token is presented when its intent cannot be written, and the old one goes on serving', async () => {
    await keepInVault(hour)
    rig.store.trouble = new Error('disk full')
    expect(await settled(rig.live.renew(inVault, 1))).toBe('unavailable')
    expect(rig.server.requests).toEqual([])
    expect(now().generation).toBe(1)
    rig.store.trouble = null
    await rig.clock.advance(15_000)
    expect(await settled(rig.live.renew(inVault, 1))).toBe('renewed')
  })

  test('tokens that could not be written serve from memory and are written when the store is well again', async () => {
    await keepInVault(hour)
    rig.server.barrier(2)
    const renewing = rig.live.renew(inVault, 1)
    await until(() => rig.server.requests.length === 1)
    rig.store.trouble = new Error('disk full')
    await fetch(rig.server.tokenUrl, { method: 'POST', body: new URLSearchParams({ grant_type: 'refresh_token' }) })
    expect(await settled(renewing)).toBe('renewed')
    const { secret } = now().injection
    expect(rig.server.accepts(secret)).toBe(true)
    await rig.clock.advance(10_000)
    expect(rig.live.problems()[0]?.message).toContain('could not be written')
    rig.store.trouble = null
    await rig.clock.advance(10_000)
    await until(() => rig.live.problems().length === 0)
    await rig.live.stop()
    rig.live = process()
    rig.live.add([inVault], (await rig.store.load()).secrets)
    expect(now().injection.secret).toBe(secret)
  })

  test('a stop waits for the refresh that is under way, so that its tokens are not lost', async () => {
    await keepInVault(hour)
    rig.server.barrier(2)
    const renewing = rig.live.renew(inVault, 1)
    await until(() => rig.server.requests.length === 1)
    const stopping = rig.live.stop()
    await fetch(rig.server.tokenUrl, { method: 'POST', body: new URLSearchParams({ grant_type: 'refresh_token' }) })
    expect(await settled(stopping)).toBe(true)
    expect(await renewing).toBe('renewed')
    rig.live = process()
    rig.live.add([inVault], (await rig.store.load()).secrets)
    expect(rig.server.accepts(now().injection.secret)).toBe(true)
  })

  test('a new login takes the place of a lapsed one', async () => {
    await keepInVault(hour)
    rig.server.revoke('work')
    await settled(rig.live.renew(inVault, 1))
    const fresh = rig.server.login('work')
    const tokens = {
      accessToken: new Secret(fresh.accessToken),
      refreshToken: new Secret(fresh.refreshToken),
      expiresAt: rig.clock.now() + hour,
      accountId: 'acc',
      scope: null,
      idToken: null,
    }
    await settled(
      rig.live.install(inVault, tokens, async (writes) => void (await rig.store.commit({ writes, audit: [] }))),
    )
    expect(now().injection.secret).toBe(fresh.accessToken)
    expect(rig.live.problems()).toEqual([])
    expect(await settled(rig.live.renew(inVault, now().generation))).toBe('renewed')
  })

  test('a lapsed login is tried once more when an operator enables it', async () => {
    await keepInVault(hour)
    rig.server.revoke('work')
    await settled(rig.live.renew(inVault, 1))
    await rig.live.retry(inVault)
    expect(await settled(rig.live.renew(inVault, 1))).toBe('needs-login')
    expect(rig.server.history).toHaveLength(2)
  })

  test('the broker hands out a token that is not about to end', async () => {
    await keepInVault(60_000)
    const given = await settled(rig.live.current(inVault))
    expect((given.expiresAt ?? 0) - rig.clock.now()).toBeGreaterThan(hour / 2)
    expect(rig.server.history).toHaveLength(1)
    expect(given.injection.secret).toBe(now().injection.secret)
  })
})
