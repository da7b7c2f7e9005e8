import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  begin,
  fileTokens,
  hour,
  inFile,
  keepInFile,
  now,
  process,
  rig,
  settled,
  until,
  useLoginRig,
  writeFile,
} from '../../../test/fakes/rig/logins.ts'
import { pristine } from '../../pool/pool.ts'
import type { CredentialRecord } from '../../store/store.ts'
import { tryLock } from '../../store/store.ts'

useLoginRig()

describe('a login in a shared file', () => {
  test('is refreshed in the file, where every other field stays', async () => {
    await keepInFile()
    const first = now(inFile())
    expect(await settled(rig.live.renew(inFile(), first.generation))).toBe('renewed')
    expect(fileTokens().access_token).toBe(now(inFile()).injection.secret)
    expect(fileTokens().refresh_token).toBe(rig.server.history[0]?.issued)
    expect(JSON.parse(readFileSync(rig.path, 'utf8'))).toMatchObject({ auth_mode: 'chatgpt', more: { kept: 1 } })
    expect(readdirSync(join(rig.folder, 'home')).sort()).toEqual(['.auth.json.spillway-lock', 'auth.json'])
    await until(() => true)
    expect(rig.told).toEqual(['granted'])
  })

  test('tokens that another tool has refreshed are taken over without a call', async () => {
    await keepInFile()
    const { generation } = now(inFile())
    const theirs = rig.server.login('work')
    writeFile(theirs)
    expect(await settled(rig.live.renew(inFile(), generation))).toBe('renewed')
    expect(now(inFile()).injection.secret).toBe(theirs.accessToken)
    expect(rig.server.history).toEqual([])
  })

  test('tokens that another tool has put there may be refreshed, however often earlier ones were', async () => {
    await keepInFile()
    for (let i = 1; i <= 4; i++) await settled(rig.live.renew(inFile(), now(inFile()).generation))
    expect(rig.server.history).toHaveLength(3)
    writeFile(rig.server.login('work'))
    await until(() => now(inFile()).generation === 5)
    expect(await settled(rig.live.renew(inFile(), 5))).toBe('renewed')
  })

  test('the loser of a race waits for the tokens of the winner, stays healthy and deletes nothing', async () => {
    await keepInFile()
    const { refresh_token } = fileTokens()
    rig.server.barrier(2)
    const renewing = rig.live.renew(inFile(), 1)
    await until(() => rig.server.requests.length === 1)
    // The other tool presents the same token at the same time, and is answered first.
    const theirs = await stolen(refresh_token)
    expect(theirs.refresh_token).toBeTypeOf('string')
    await until(() => rig.server.history.some((entry) => entry.result === 'refused') || rig.server.history.length === 2)
    writeFile({ accessToken: theirs.access_token, refreshToken: theirs.refresh_token })
    expect(await settled(renewing)).toBe('renewed')
    expect(rig.health).toBe(pristine)
    expect(rig.server.accepts(now(inFile()).injection.secret)).toBe(true)
    expect(fileTokens().refresh_token).toBe(theirs.refresh_token)
  })

  test('a login that is simply refused does not wait as long as the loser of a race', async () => {
    await keepInFile()
    rig.server.revoke('work')
    const renewing = rig.live.renew(inFile(), 1)
    await until(() => rig.server.history.length === 1)
    const from = rig.clock.now()
    expect(await settled(renewing)).toBe('needs-login')
    // Its looks take 200 ms; the fake time runs five times as fast as the disk.
    expect(rig.clock.now() - from).toBeLessThan(1_000)
  })

  test('whom the server calls the loser of a race waits longer for a winner who is slow to write', async () => {
    await begin({ refusal: 'refresh_token_reused' })
    await keepInFile()
    const theirs = await stolen(fileTokens().refresh_token)
    const renewing = rig.live.renew(inFile(), 1)
    await until(() => rig.server.history.length === 2)
    await rig.clock.advance(1_000)
    writeFile({ accessToken: theirs.access_token, refreshToken: theirs.refresh_token })
    expect(await settled(renewing)).toBe('renewed')
    expect(rig.told).toEqual(['adopted'])
  })

  test('a login elsewhere revives a lapsed one within a second, and says so once', async () => {
    await keepInFile()
    rig.server.revoke('work')
    expect(await settled(rig.live.renew(inFile(), 1))).toBe('needs-login')
    const fresh = rig.server.login('work')
    const at = rig.clock.now()
    writeFile(fresh)
    await until(() => rig.told.includes('replaced by login'))
    expect(rig.clock.now() - at).toBeLessThanOrEqual(1_000)
    expect(now(inFile()).injection.secret).toBe(fresh.accessToken)
    await rig.clock.advance(5_000)
    expect(rig.told).toEqual(['dead', 'needs login 7 refresh-rejected', 'replaced by login'])
  })

  test('a login elsewhere while the daemon was down revives the credential at its start', async () => {
    await keepInFile()
    rig.server.revoke('work')
    await settled(rig.live.renew(inFile(), 1))
    await rig.live.stop()
    writeFile(rig.server.login('work'))
    rig.live = process()
    rig.live.add([inFile()], [])
    await rig.live.ready()
    expect(rig.told.at(-1)).toBe('replaced by login')
  })

  test('a file that is half written or gone leaves the token in memory serving', async () => {
    await keepInFile()
    const { secret } = now(inFile()).injection
    writeFileSync(rig.path, '{"tokens":{"acc')
    await rig.clock.advance(2_000)
    expect(now(inFile()).injection.secret).toBe(secret)
    rmSync(rig.path)
    expect(await settled(rig.live.renew(inFile(), 1))).toBe('unavailable')
    expect(now(inFile()).injection.secret).toBe(secret)
    expect(rig.server.requests).toEqual([])
    const message = `${rig.path} does not exist; the tokens that were read last go on serving`
    expect(rig.live.problems()).toMatchObject([{ message, broken: false }])
  })

  test('another account in the file is a new identity', async () => {
    await keepInFile()
    rig.health = {
      state: 'cooling',
      reason: 'quota',
      since: 0,
      until: rig.clock.now() + hour,
      probeAt: rig.clock.now() + hour,
      strikes: 1,
    }
    writeFile(rig.server.login('other'), 'other-account')
    await until(() => rig.told.length > 0)
    expect(rig.told).toEqual(['replaced by login'])
    expect(now(inFile()).injection.accountId).toBe('other-account')
  })

  test('a routine refresh by its own tool does not end a cooldown', async () => {
    await keepInFile()
    rig.health = {
      state: 'cooling',
      reason: 'quota',
      since: 0,
      until: rig.clock.now() + hour,
      probeAt: rig.clock.now() + hour,
      strikes: 1,
    }
    writeFile(rig.server.login('work'))
    await until(() => now(inFile()).generation === 2)
    expect(rig.told).toEqual([])
  })

  test('while another process holds the lock nothing is presented, and what it puts down is taken over', async () => {
    await keepInFile()
    const lock = tryLock(join(rig.folder, 'home', '.auth.json.spillway-lock'))
    const renewing = rig.live.renew(inFile(), 1)
    await until(() => true)
    const theirs = rig.server.login('work')
    writeFile(theirs)
    expect(await settled(renewing)).toBe('renewed')
    lock?.release()
    expect(rig.server.history).toEqual([])
    expect(now(inFile()).injection.secret).toBe(theirs.accessToken)
  })

  test('a lock that nobody gives back makes the refresh wait, and says so', async () => {
    await keepInFile()
    const lock = tryLock(join(rig.folder, 'home', '.auth.json.spillway-lock'))
    const from = rig.clock.now()
    expect(await settled(rig.live.renew(inFile(), 1))).toBe('unavailable')
    expect(rig.clock.now() - from).toBeGreaterThanOrEqual(9_000)
    expect(rig.live.problems()[0]?.message).toContain('another process is refreshing')
    expect(rig.server.requests).toEqual([])
    lock?.release()
    await rig.clock.advance(2_000)
    expect(await settled(rig.live.renew(inFile(), 1))).toBe('renewed')
  })

  test('a file that cannot be rewritten keeps its refresh token from being presented', async () => {
    await keepInFile()
    rmSync(join(rig.folder, 'home', '.auth.json.spillway-next'), { force: true })
    mkdirSync(join(rig.folder, 'home', '.auth.json.spillway-next'))
    expect(await settled(rig.live.renew(inFile(), 1))).toBe('unavailable')
    expect(rig.server.requests).toEqual([])
  })

  test("Claude's own lock is respected and given back", async () => {
    rig.path = join(rig.folder, 'home', '.claude', '.credentials.json')
    mkdirSync(join(rig.folder, 'home', '.claude'))
    const given = rig.server.login('work')
    writeFileSync(rig.path, JSON.stringify({ claudeAiOauth: { ...given, scopes: ['a', 'b'] } }), { mode: 0o600 })
    const oauth = {
      login: 'claude',
      tokenUrl: rig.server.tokenUrl,
      clientId: null,
      clientSecretFile: null,
      scope: null,
    }
    const record: CredentialRecord = { ...inFile(), source: { kind: 'file', path: rig.path, format: 'claude' }, oauth }
    rig.live.add([record], [])
    await rig.live.ready()
    mkdirSync(join(rig.folder, 'home', '.claude.lock'))
    const renewing = rig.live.renew(record, 1)
    await rig.clock.advance(5_000)
    expect(rig.server.requests).toEqual([])
    rmSync(join(rig.folder, 'home', '.claude.lock'), { recursive: true })
    expect(await settled(renewing)).toBe('renewed')
    expect(rig.server.requests[0]?.fields).toMatchObject({ scope: 'a b' })
    await until(() => !existsSync(join(rig.folder, 'home', '.claude.lock')))
  })
})

async function stolen(refreshToken: string): Promise<{ access_token: string; refresh_token: string }> {
  const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken })
  const response = await fetch(rig.server.tokenUrl, { method: 'POST', body })
  return (await response.json()) as { access_token: string; refresh_token: string }
}
