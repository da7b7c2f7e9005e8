import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { AuthServer, type AuthServerOptions } from '../../../test/fakes/auth/auth-server.ts'
import { credentialRecord } from '../../../test/fakes/rig/records.ts'
import { MemoryStore } from '../../../test/fakes/rig/store.ts'
import { FakeClock } from '../../clock/clock.ts'
import { type Health, needsLogin, pristine } from '../../pool/pool.ts'
import type { CredentialRecord, SecretRecord } from '../../store/store.ts'
import { tryLock } from '../../store/store.ts'
import { Secret, Vault } from '../../vault/vault.ts'
import { createCredentials, type LiveCredentials, type Material, NoMaterial, tokenWrites } from '../credential.ts'

const hour = 3_600_000
const vault = new Vault(randomBytes(32))
let folder = ''
let path = ''
let clock: FakeClock
let server: AuthServer
let store: MemoryStore
let live: LiveCredentials
let health: Health
let told: string[]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-login-'))
  path = join(folder, 'home', 'auth.json')
  mkdirSync(join(folder, 'home'))
  clock = new FakeClock(Date.now())
  store = new MemoryStore()
  health = pristine
  told = []
  await begin()
})
afterEach(async () => {
  await live.stop()
  await server.stop()
  rmSync(folder, { recursive: true })
})

async function begin(options: AuthServerOptions = {}): Promise<void> {
  await server?.stop()
  server = await AuthServer.start(options)
  live = process()
}

/** The credentials of one process; calling it again is a restart, or a neighbour. */
function process(): LiveCredentials {
  return createCredentials({
    clock,
    vault,
    store,
    directory: folder,
    env: {},
    oauth: () => ({ codex: { tokenUrl: server.tokenUrl, clientId: null } }),
    random: () => 0.5,
    warn: (message) => told.push(message),
    refreshed: (_, result) => told.push(result),
    verdicts: {
      engineView: () => ({ generation: 7, health }),
      async needsLogin(_, generation, reason) {
        told.push(`needs login ${generation} ${reason}`)
        health = needsLogin(reason, clock.now())
      },
      async replaced(_, how) {
        told.push(`replaced by ${how}`)
        health = pristine
      },
    },
  })
}

const inVault = credentialRecord({ id: 'c1', name: 'work', provider: 'codex', auth: 'oauth' })
const inFile = (): CredentialRecord => ({ ...inVault, source: { kind: 'file', path, format: 'codex' } })

/** Keeps a login of the server in the vault, its access token good for `leftMs`. */
async function keepInVault(leftMs: number): Promise<void> {
  const { accessToken, refreshToken } = server.login('work')
  const tokens = {
    accessToken: new Secret(accessToken),
    refreshToken: new Secret(refreshToken),
    expiresAt: clock.now() + leftMs,
    accountId: 'acc',
    scope: null,
    idToken: null,
  }
  const writes = tokenWrites(vault, { id: 'c1', generation: 1, tokens, expected: null })
  await store.commit({ writes, audit: [] })
  live.add([inVault], secretsOf(writes))
}

function secretsOf(writes: ReturnType<typeof tokenWrites>): SecretRecord[] {
  return writes.flatMap((write) => ('put' in write && write.put === 'secret' ? [write.row] : []))
}

/** What the tool's own login writes. */
function writeFile(given: { accessToken: string; refreshToken: string }, accountId = 'acc'): void {
  const tokens = { access_token: given.accessToken, refresh_token: given.refreshToken, account_id: accountId }
  writeFileSync(
    path,
    JSON.stringify({ auth_mode: 'chatgpt', OPENAI_API_KEY: null, tokens, more: { kept: 1 } }, null, 2),
  )
  chmodSync(path, 0o600)
}

function fileTokens(): { access_token: string; refresh_token: string } {
  return JSON.parse(readFileSync(path, 'utf8')).tokens
}

async function keepInFile(): Promise<void> {
  writeFile(server.login('work'))
  live.add([inFile()], [])
  await live.ready()
}

function now(record = inVault): Material {
  const material = live.material(record)
  if (material instanceof Promise) throw new Error('the material was not in memory')
  return material
}

/** Lets real workers and sockets do their work while the fake time moves on, more slowly than any deadline. */
async function until(done: () => boolean): Promise<void> {
  await vi.waitFor(
    async () => {
      await clock.advance(25)
      expect(done()).toBe(true)
    },
    { timeout: 40_000, interval: 5 },
  )
}

async function settled<T>(promise: Promise<T>): Promise<T> {
  let isOver = false
  promise.then(
    () => {
      isOver = true
    },
    () => {
      isOver = true
    },
  )
  await until(() => isOver)
  return promise
}

describe('a login in the vault', () => {
  test('serves its token from memory and refreshes it ahead of its end, once, while it goes on serving', async () => {
    await keepInVault(hour)
    const first = now()
    expect(first).toMatchObject({ injection: { kind: 'bearer-token', accountId: 'acc' }, generation: 1 })
    await clock.advance(hour - 10 * 60_000)
    expect(server.history).toEqual([])
    await clock.advance(4 * 60_000)
    for (let i = 0; i < 50; i++) expect(now().injection.secret).toBe(first.injection.secret)
    await until(() => now().generation === 2)
    expect(server.accepts(now().injection.secret)).toBe(true)
    expect(server.history).toHaveLength(1)
    expect(told).toEqual(['granted'])
  })

  test('an ended token is refreshed before it is given out, once for everybody who waits', async () => {
    await keepInVault(1)
    await clock.advance(2)
    const waiting = Array.from({ length: 20 }, async () => live.material(inVault))
    const materials = await settled(Promise.all(waiting))
    expect(new Set(materials.map((each) => each.injection.secret)).size).toBe(1)
    expect(server.accepts(materials[0]?.injection.secret ?? '')).toBe(true)
    expect(server.history).toHaveLength(1)
  })

  test('an expired answer forces one refresh for all who report it, and a late report of the old token none', async () => {
    await keepInVault(hour)
    const { generation } = now()
    const renewals = await settled(Promise.all(Array.from({ length: 20 }, () => live.renew(inVault, generation))))
    expect(new Set(renewals)).toEqual(new Set(['renewed']))
    expect(await settled(live.renew(inVault, generation))).toBe('renewed')
    expect(server.history).toHaveLength(1)
    expect(now().generation).toBe(generation + 1)
  })

  test('survives a restart with the refreshed token', async () => {
    await keepInVault(hour)
    await settled(live.renew(inVault, 1))
    const { secret } = now().injection
    await live.stop()
    live = process()
    const { secrets } = await store.load()
    live.add([inVault], secrets)
    expect(now().injection.secret).toBe(secret)
  })

  test('a revoked login costs one call and one verdict, and then there is silence for 16 days', async () => {
    await keepInVault(hour)
    server.revoke('work')
    expect(await settled(live.renew(inVault, 1))).toBe('needs-login')
    for (let day = 0; day < 16; day++) {
      await clock.advance(24 * hour)
      expect(await settled(live.renew(inVault, 1))).toBe('needs-login')
      expect(() => now()).toThrow(NoMaterial)
    }
    expect(server.history).toHaveLength(1)
    expect(told).toEqual(['dead', 'needs login 7 refresh-rejected'])
  })

  test('a refused token is not presented again after a restart', async () => {
    await keepInVault(hour)
    server.revoke('work')
    await settled(live.renew(inVault, 1))
    await live.stop()
    live = process()
    live.add([inVault], (await store.load()).secrets)
    expect(await settled(live.renew(inVault, 1))).toBe('needs-login')
    expect(server.history).toHaveLength(1)
  })

  test('a failing token endpoint backs off the refresh and nothing else', async () => {
    await keepInVault(hour)
    server.trouble(500, 503, 429)
    expect(await settled(live.renew(inVault, 1))).toBe('unavailable')
    expect(now().generation).toBe(1)
    expect(await settled(live.renew(inVault, 1))).toBe('unavailable')
    expect(server.history).toHaveLength(1)
    // It falls due 7.5 minutes ahead of the token's end.
    await clock.advance(hour - 451_000)
    await until(() => server.history.length >= 4)
    await until(() => now().generation === 2)
    expect(told).toEqual(['later', 'later', 'later', 'granted'])
  })

  test('an ended token whose refresh backs off says when to ask again', async () => {
    await keepInVault(1)
    await clock.advance(2)
    server.trouble(500)
    await expect(settled(Promise.resolve(live.material(inVault)))).rejects.toMatchObject({
      reason: 'auth-expired',
      retryAt: expect.any(Number),
    })
    expect(() => now()).toThrow('HTTP status 500')
    expect(server.history).toHaveLength(1)
  })

  test('a refresh that fails before the secrets have been looked through is no secret that cannot be read', async () => {
    await keepInVault(-1)
    server.trouble(500)
    const waiting = Promise.resolve(live.material(inVault))
    await expect(waiting).rejects.toThrow('HTTP status 500')
    await clock.advance(25)
    expect(told).toEqual(['later'])
  })

  test('a member that was suspected for want of a token is trusted again when there is one', async () => {
    await keepInVault(1)
    await clock.advance(2)
    server.trouble(500)
    await expect(settled(Promise.resolve(live.material(inVault)))).rejects.toThrow(NoMaterial)
    health = { state: 'suspect', reason: 'auth-expired', since: clock.now(), until: clock.now() + 300_000, strikes: 1 }
    await clock.advance(10_000)
    await until(() => told.includes('replaced by login'))
    expect(server.accepts(now().injection.secret)).toBe(true)
  })

  test('a request does not wait longer than 10 s for a token, and the refresh goes on without it', async () => {
    await keepInVault(1)
    await clock.advance(2)
    server.barrier(2)
    const waiting = Promise.resolve(live.material(inVault))
    waiting.catch(() => {})
    await until(() => server.requests.length === 1)
    await clock.advance(10_000)
    await expect(waiting).rejects.toMatchObject({ reason: 'auth-expired', retryAt: expect.any(Number) })
    expect(() => now()).toThrow('is still being refreshed')
    await fetch(server.tokenUrl, { method: 'POST', body: new URLSearchParams({ grant_type: 'refresh_token' }) })
    await until(() => live.problems().length === 0 && server.history.length === 2 && told.includes('granted'))
    expect(now().generation).toBe(2)
  })

  test('a lost answer makes the token uncertain: it is presented once more, and a strict server ends it', async () => {
    await keepInVault(hour)
    server.trouble('lost')
    expect(await settled(live.renew(inVault, 1))).toBe('unavailable')
    expect((await store.refreshState('c1')).row?.intent).toMatchObject({ presented: 1 })
    await clock.advance(10_000)
    expect(await settled(live.renew(inVault, 1))).toBe('needs-login')
    expect(server.history.map((entry) => entry.result)).toEqual(['lost', 'refused'])
    expect(told).toEqual(['later', 'dead', 'needs login 7 refresh-rejected'])
  })

  test('a lost answer of a server with a grace period harms nothing', async () => {
    await begin({ reuse: 'grace' })
    await keepInVault(hour)
    server.trouble('lost')
    await settled(live.renew(inVault, 1))
    await clock.advance(10_000)
    expect(await settled(live.renew(inVault, 1))).toBe('renewed')
    expect(server.accepts(now().injection.secret)).toBe(true)
  })

  test('a silent server that leaves nothing to serve with needs a person, and revives the login when it speaks', async () => {
    await keepInVault(1)
    await clock.advance(2)
    server.trouble('lost', 'lost')
    server.treatReuse('grace')
    await until(() => told.length === 1)
    await clock.advance(6_000)
    await until(() => told.includes('needs login 7 refresh-uncertain'))
    await clock.advance(12_000)
    await until(() => told.includes('replaced by login'))
    expect(server.accepts(now().injection.secret)).toBe(true)
  })

  test('upstreams that refuse every token cannot make it turn over more often than 3 times in 3 minutes', async () => {
    await keepInVault(hour)
    const answers = []
    for (let i = 1; i <= 10; i++) answers.push(await settled(live.renew(inVault, now().generation)))
    expect(answers.filter((answer) => answer === 'renewed')).toHaveLength(3)
    expect(server.history).toHaveLength(3)
    await clock.advance(180_000)
    expect(await settled(live.renew(inVault, now().generation))).toBe('renewed')
  })

  test('no token is presented when its intent cannot be written, and the old one goes on serving', async () => {
    await keepInVault(hour)
    store.trouble = new Error('disk full')
    expect(await settled(live.renew(inVault, 1))).toBe('unavailable')
    expect(server.requests).toEqual([])
    expect(now().generation).toBe(1)
    store.trouble = null
    await clock.advance(15_000)
    expect(await settled(live.renew(inVault, 1))).toBe('renewed')
  })

  test('tokens that could not be written serve from memory and are written when the store is well again', async () => {
    await keepInVault(hour)
    server.barrier(2)
    const renewing = live.renew(inVault, 1)
    await until(() => server.requests.length === 1)
    store.trouble = new Error('disk full')
    await fetch(server.tokenUrl, { method: 'POST', body: new URLSearchParams({ grant_type: 'refresh_token' }) })
    expect(await settled(renewing)).toBe('renewed')
    const { secret } = now().injection
    expect(server.accepts(secret)).toBe(true)
    await clock.advance(10_000)
    expect(live.problems()[0]?.message).toContain('could not be written')
    store.trouble = null
    await clock.advance(10_000)
    await until(() => live.problems().length === 0)
    await live.stop()
    live = process()
    live.add([inVault], (await store.load()).secrets)
    expect(now().injection.secret).toBe(secret)
  })

  test('a stop waits for the refresh that is under way, so that its tokens are not lost', async () => {
    await keepInVault(hour)
    server.barrier(2)
    const renewing = live.renew(inVault, 1)
    await until(() => server.requests.length === 1)
    const stopping = live.stop()
    await fetch(server.tokenUrl, { method: 'POST', body: new URLSearchParams({ grant_type: 'refresh_token' }) })
    expect(await settled(stopping)).toBe(true)
    expect(await renewing).toBe('renewed')
    live = process()
    live.add([inVault], (await store.load()).secrets)
    expect(server.accepts(now().injection.secret)).toBe(true)
  })

  test('a new login takes the place of a lapsed one', async () => {
    await keepInVault(hour)
    server.revoke('work')
    await settled(live.renew(inVault, 1))
    const fresh = server.login('work')
    const tokens = {
      accessToken: new Secret(fresh.accessToken),
      refreshToken: new Secret(fresh.refreshToken),
      expiresAt: clock.now() + hour,
      accountId: 'acc',
      scope: null,
      idToken: null,
    }
    await settled(live.install(inVault, tokens, async (writes) => void (await store.commit({ writes, audit: [] }))))
    expect(now().injection.secret).toBe(fresh.accessToken)
    expect(live.problems()).toEqual([])
    expect(await settled(live.renew(inVault, now().generation))).toBe('renewed')
  })

  test('a lapsed login is tried once more when an operator enables it', async () => {
    await keepInVault(hour)
    server.revoke('work')
    await settled(live.renew(inVault, 1))
    await live.retry(inVault)
    expect(await settled(live.renew(inVault, 1))).toBe('needs-login')
    expect(server.history).toHaveLength(2)
  })

  test('the broker hands out a token that is not about to end', async () => {
    await keepInVault(60_000)
    const given = await settled(live.current(inVault))
    expect((given.expiresAt ?? 0) - clock.now()).toBeGreaterThan(hour / 2)
    expect(server.history).toHaveLength(1)
    expect(given.injection.secret).toBe(now().injection.secret)
  })
})

describe('a login in a shared file', () => {
  test('is refreshed in the file, where every other field stays', async () => {
    await keepInFile()
    const first = now(inFile())
    expect(await settled(live.renew(inFile(), first.generation))).toBe('renewed')
    expect(fileTokens().access_token).toBe(now(inFile()).injection.secret)
    expect(fileTokens().refresh_token).toBe(server.history[0]?.issued)
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ auth_mode: 'chatgpt', more: { kept: 1 } })
    expect(readdirSync(join(folder, 'home')).sort()).toEqual(['.auth.json.spillway-lock', 'auth.json'])
    await until(() => true)
    expect(told).toEqual(['granted'])
  })

  test('tokens that another tool has refreshed are taken over without a call', async () => {
    await keepInFile()
    const { generation } = now(inFile())
    const theirs = server.login('work')
    writeFile(theirs)
    expect(await settled(live.renew(inFile(), generation))).toBe('renewed')
    expect(now(inFile()).injection.secret).toBe(theirs.accessToken)
    expect(server.history).toEqual([])
  })

  test('tokens that another tool has put there may be refreshed, however often earlier ones were', async () => {
    await keepInFile()
    for (let i = 1; i <= 4; i++) await settled(live.renew(inFile(), now(inFile()).generation))
    expect(server.history).toHaveLength(3)
    writeFile(server.login('work'))
    await until(() => now(inFile()).generation === 5)
    expect(await settled(live.renew(inFile(), 5))).toBe('renewed')
  })

  test('the loser of a race waits for the tokens of the winner, stays healthy and deletes nothing', async () => {
    await keepInFile()
    const { refresh_token } = fileTokens()
    server.barrier(2)
    const renewing = live.renew(inFile(), 1)
    await until(() => server.requests.length === 1)
    // The other tool presents the same token at the same time, and is answered first.
    const theirs = await stolen(refresh_token)
    expect(theirs.refresh_token).toBeTypeOf('string')
    await until(() => server.history.some((entry) => entry.result === 'refused') || server.history.length === 2)
    writeFile({ accessToken: theirs.access_token, refreshToken: theirs.refresh_token })
    expect(await settled(renewing)).toBe('renewed')
    expect(health).toBe(pristine)
    expect(server.accepts(now(inFile()).injection.secret)).toBe(true)
    expect(fileTokens().refresh_token).toBe(theirs.refresh_token)
  })

  test('a login that is simply refused does not wait as long as the loser of a race', async () => {
    await keepInFile()
    server.revoke('work')
    const renewing = live.renew(inFile(), 1)
    await until(() => server.history.length === 1)
    const from = clock.now()
    expect(await settled(renewing)).toBe('needs-login')
    // Its looks take 200 ms; the fake time runs five times as fast as the disk.
    expect(clock.now() - from).toBeLessThan(1_000)
  })

  test('whom the server calls the loser of a race waits longer for a winner who is slow to write', async () => {
    await begin({ refusal: 'refresh_token_reused' })
    await keepInFile()
    const theirs = await stolen(fileTokens().refresh_token)
    const renewing = live.renew(inFile(), 1)
    await until(() => server.history.length === 2)
    await clock.advance(1_000)
    writeFile({ accessToken: theirs.access_token, refreshToken: theirs.refresh_token })
    expect(await settled(renewing)).toBe('renewed')
    expect(told).toEqual(['adopted'])
  })

  test('a login elsewhere revives a lapsed one within a second, and says so once', async () => {
    await keepInFile()
    server.revoke('work')
    expect(await settled(live.renew(inFile(), 1))).toBe('needs-login')
    const fresh = server.login('work')
    const at = clock.now()
    writeFile(fresh)
    await until(() => told.includes('replaced by login'))
    expect(clock.now() - at).toBeLessThanOrEqual(1_000)
    expect(now(inFile()).injection.secret).toBe(fresh.accessToken)
    await clock.advance(5_000)
    expect(told).toEqual(['dead', 'needs login 7 refresh-rejected', 'replaced by login'])
  })

  test('a login elsewhere while the daemon was down revives the credential at its start', async () => {
    await keepInFile()
    server.revoke('work')
    await settled(live.renew(inFile(), 1))
    await live.stop()
    writeFile(server.login('work'))
    live = process()
    live.add([inFile()], [])
    await live.ready()
    expect(told.at(-1)).toBe('replaced by login')
  })

  test('a file that is half written or gone leaves the token in memory serving', async () => {
    await keepInFile()
    const { secret } = now(inFile()).injection
    writeFileSync(path, '{"tokens":{"acc')
    await clock.advance(2_000)
    expect(now(inFile()).injection.secret).toBe(secret)
    rmSync(path)
    expect(await settled(live.renew(inFile(), 1))).toBe('unavailable')
    expect(now(inFile()).injection.secret).toBe(secret)
    expect(server.requests).toEqual([])
    const message = `${path} does not exist; the tokens that were read last go on serving`
    expect(live.problems()).toMatchObject([{ message, broken: false }])
  })

  test('another account in the file is a new identity', async () => {
    await keepInFile()
    health = {
      state: 'cooling',
      reason: 'quota',
      since: 0,
      until: clock.now() + hour,
      probeAt: clock.now() + hour,
      strikes: 1,
    }
    writeFile(server.login('other'), 'other-account')
    await until(() => told.length > 0)
    expect(told).toEqual(['replaced by login'])
    expect(now(inFile()).injection.accountId).toBe('other-account')
  })

  test('a routine refresh by its own tool does not end a cooldown', async () => {
    await keepInFile()
    health = {
      state: 'cooling',
      reason: 'quota',
      since: 0,
      until: clock.now() + hour,
      probeAt: clock.now() + hour,
      strikes: 1,
    }
    writeFile(server.login('work'))
    await until(() => now(inFile()).generation === 2)
    expect(told).toEqual([])
  })

  test('while another process holds the lock nothing is presented, and what it puts down is taken over', async () => {
    await keepInFile()
    const lock = tryLock(join(folder, 'home', '.auth.json.spillway-lock'))
    const renewing = live.renew(inFile(), 1)
    await until(() => true)
    const theirs = server.login('work')
    writeFile(theirs)
    expect(await settled(renewing)).toBe('renewed')
    lock?.release()
    expect(server.history).toEqual([])
    expect(now(inFile()).injection.secret).toBe(theirs.accessToken)
  })

  test('a lock that nobody gives back makes the refresh wait, and says so', async () => {
    await keepInFile()
    const lock = tryLock(join(folder, 'home', '.auth.json.spillway-lock'))
    const from = clock.now()
    expect(await settled(live.renew(inFile(), 1))).toBe('unavailable')
    expect(clock.now() - from).toBeGreaterThanOrEqual(9_000)
    expect(live.problems()[0]?.message).toContain('another process is refreshing')
    expect(server.requests).toEqual([])
    lock?.release()
    await clock.advance(2_000)
    expect(await settled(live.renew(inFile(), 1))).toBe('renewed')
  })

  test('a file that cannot be rewritten keeps its refresh token from being presented', async () => {
    await keepInFile()
    rmSync(join(folder, 'home', '.auth.json.spillway-next'), { force: true })
    mkdirSync(join(folder, 'home', '.auth.json.spillway-next'))
    expect(await settled(live.renew(inFile(), 1))).toBe('unavailable')
    expect(server.requests).toEqual([])
  })

  test("Claude's own lock is respected and given back", async () => {
    path = join(folder, 'home', '.claude', '.credentials.json')
    mkdirSync(join(folder, 'home', '.claude'))
    const given = server.login('work')
    writeFileSync(path, JSON.stringify({ claudeAiOauth: { ...given, scopes: ['a', 'b'] } }), { mode: 0o600 })
    const oauth = { login: 'claude', tokenUrl: server.tokenUrl, clientId: null, clientSecretFile: null, scope: null }
    const record: CredentialRecord = { ...inFile(), source: { kind: 'file', path, format: 'claude' }, oauth }
    live.add([record], [])
    await live.ready()
    mkdirSync(join(folder, 'home', '.claude.lock'))
    const renewing = live.renew(record, 1)
    await clock.advance(5_000)
    expect(server.requests).toEqual([])
    rmSync(join(folder, 'home', '.claude.lock'), { recursive: true })
    expect(await settled(renewing)).toBe('renewed')
    expect(server.requests[0]?.fields).toMatchObject({ scope: 'a b' })
    await until(() => !existsSync(join(folder, 'home', '.claude.lock')))
  })
})

async function stolen(refreshToken: string): Promise<{ access_token: string; refresh_token: string }> {
  const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken })
  const response = await fetch(server.tokenUrl, { method: 'POST', body })
  return (await response.json()) as { access_token: string; refresh_token: string }
}
