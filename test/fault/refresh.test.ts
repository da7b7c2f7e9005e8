import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { AuthServer, type AuthServerOptions } from '../fakes/auth/auth-server.ts'
import { type Committed, Home, presentations, presentedTooLate, Refresher, times } from './refreshers.ts'

let server: AuthServer
let home: Home
let processes: Refresher[]

beforeEach(() => {
  processes = []
})
afterEach(async () => {
  await Promise.all(processes.map((each) => each.kill()))
  await server.stop()
  home.clear()
})

async function begin(options: AuthServerOptions = {}): Promise<void> {
  server = await AuthServer.start(options)
  home = new Home(server)
  home.login()
}

async function start(process = 0, names?: readonly string[]): Promise<Refresher> {
  const refresher = await Refresher.start(home.setup(process, names))
  processes.push(refresher)
  return refresher
}

/** Kills one process after the other while it refreshes; calls `after` with the history as it is when it is dead. */
async function killing(rounds: number, after: (round: number, killed: Refresher) => Promise<void>): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const victim = await start()
    const before = server.requests.length
    let stopped: string | null = null
    void victim.order('again').then(({ result }) => {
      stopped = result
    })
    // At each step around the grant: before it, while it is under way, and while its result is written.
    while (server.requests.length < before + 1 + (round % 3) && stopped === null) await pause(1)
    await pause(Math.random() * 20)
    await victim.kill()
    processes = []
    expect(stopped).toBeNull()
    await after(round, victim)
  }
}

test('F1: killed at any moment of a refresh, a login survives with a server that has a grace period', async () => {
  await begin({ reuse: 'grace', delayMs: 5 })
  let calls = 0
  await killing(times(200, 20), async (_, killed) => {
    calls += killed.needsLogin.length
  })
  const heir = await start()
  expect(await heir.order('renew')).toMatchObject({ result: 'renewed' })
  expect(server.accepts(home.accessToken())).toBe(true)
  expect(calls + heir.needsLogin.length).toBe(0)
  expect(server.history.filter((entry) => entry.result === 'refused')).toEqual([])
}, 600_000)

test('F2: with a strict server a token that has a successor on the disk is never presented, an uncertain one once per crash', async () => {
  await begin({ delayMs: 5 })
  const committed: Committed[] = []
  let calls = 0
  let refusals = 0
  const rounds = times(200, 20)
  await killing(rounds, async (_, killed) => {
    calls += killed.needsLogin.length
    committed.push({ afterSeq: server.history.length, refreshToken: home.refreshToken() })
    const heir = await start()
    const answer = await heir.order('renew')
    const refused = server.history.filter((entry) => entry.result === 'refused').length
    // What was lost is lost, and said once: the next presentation needs a person.
    expect(answer.result).toBe(refused > refusals ? 'needs-login' : 'renewed')
    expect(heir.needsLogin).toEqual(refused > refusals ? ['refresh-rejected'] : [])
    calls += heir.needsLogin.length
    await heir.order('renew')
    await heir.kill()
    if (refused > refusals) home.login()
    refusals = refused
    committed.push({ afterSeq: server.history.length, refreshToken: home.refreshToken() })
  })
  expect(presentedTooLate(server.history, committed)).toEqual([])
  expect(Math.max(...presentations(server.history).values())).toBeLessThanOrEqual(2)
  expect(server.history.filter((entry) => entry.result === 'refused')).toHaveLength(calls)
}, 1_200_000)

test('F3: eight processes that share a rotating token take exactly one grant per generation', async () => {
  await begin()
  const rounds = times(1_000, 100)
  const all = await Promise.all(Array.from({ length: 8 }, (_, i) => start(i)))
  for (let round = 1; round <= rounds; round++) {
    const answers = await Promise.all(all.map((each) => each.order('renew')))
    expect(answers.filter(({ result }) => result !== 'renewed')).toEqual([])
    expect(new Set(answers.map(({ token }) => token))).toEqual(new Set([home.accessToken()]))
    expect(server.history).toHaveLength(round)
  }
  expect(server.history.every((entry) => entry.result === 'granted')).toBe(true)
  expect(Math.max(...presentations(server.history).values())).toBe(1)
}, 600_000)

const races = [
  { refusal: 'refresh_token_reused', writesAfterMs: 300 },
  { refusal: 'invalid_grant', writesAfterMs: 20 },
]
test.each(races)(
  'F4: the loser of a race ($refusal) re-reads, uses the token of the winner, deletes nothing and stays healthy',
  async ({ refusal, writesAfterMs }) => {
    await begin({ refusal })
    const loser = await start()
    const presented = home.refreshToken()
    server.barrier(2)
    const answer = loser.order('renew')
    while (server.requests.length === 0) await pause(5)
    // A tool that knows nothing of our lock presents the same token; it is answered first and writes a little later.
    const body = JSON.stringify({ grant_type: 'refresh_token', refresh_token: presented })
    const response = await fetch(server.tokenUrl, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    })
    const won = (await response.json()) as { access_token: string; refresh_token: string }
    while (!server.history.some((entry) => entry.result === 'refused')) await pause(5)
    await pause(writesAfterMs)
    const theirs = { auth_mode: 'chatgpt', tokens: { ...won, account_id: 'acc' } }
    writeFileSync(home.path(), JSON.stringify(theirs), { mode: 0o600 })
    expect(await answer).toMatchObject({ result: 'renewed', token: won.access_token })
    expect(loser.needsLogin).toEqual([])
    expect(home.refreshToken()).toBe(won.refresh_token)
    expect(await loser.order('renew')).toMatchObject({ result: 'renewed' })
  },
)

test('F5: while the holder of the lock is frozen nobody takes a second grant, and other logins serve', async () => {
  await begin()
  home.login('other')
  const holder = await start(0)
  const other = await start(1, ['auth', 'other'])
  server.barrier(2)
  const granted = () => server.history.filter((entry) => entry.result === 'granted')
  const frozen = holder.order('renew')
  while (server.requests.length === 0) await pause(5)
  holder.child.kill('SIGSTOP')
  const until = Date.now() + times(60_000, 11_000)
  while (Date.now() < until) {
    const blocked = other.order('renew')
    const { tookMs, token } = await other.order('material', 1)
    expect(token).toBe(home.accessToken('other'))
    expect(tookMs).toBeLessThan(1_000)
    expect(await blocked).toMatchObject({ result: 'unavailable', token: home.accessToken() })
  }
  expect(server.requests).toHaveLength(1)
  // The answer comes while the holder is frozen, and is not lost when it wakes.
  await fetch(server.tokenUrl, { method: 'POST', body: 'grant_type=refresh_token' })
  holder.child.kill('SIGCONT')
  await frozen
  await expect.poll(() => home.refreshToken(), { timeout: 10_000 }).toBe(granted()[0]?.issued)
  expect(await other.order('renew')).toMatchObject({ result: 'renewed', token: home.accessToken() })
  expect(server.history.filter((entry) => entry.result === 'granted')).toHaveLength(1)
}, 120_000)

for (const kept of ['vault', 'file'] as const) {
  test(`F6: with a full disk under a login in the ${kept} no token is presented, and the old one goes on serving`, async (context) => {
    await begin()
    const disk = mounted()
    if (disk === null) return context.skip('no tmpfs can be mounted here')
    try {
      const onDisk = new Home(server, disk)
      const login = kept === 'vault' ? home : onDisk
      login.login()
      const directory = join(kept === 'vault' ? disk : home.folder, 'data')
      const refresher = await Refresher.start({ ...login.setup(), directory, kept })
      processes.push(refresher)
      const before = await refresher.order('renew')
      expect(before.result).toBe('renewed')
      fill(disk)
      const full = await refresher.order('renew')
      expect(full).toMatchObject({ result: 'unavailable', token: before.token })
      expect(server.requests).toHaveLength(1)
      rmSync(join(disk, 'filler'))
      await pause(16_000)
      expect(await refresher.order('renew')).toMatchObject({ result: 'renewed' })
      expect(refresher.needsLogin).toEqual([])
    } finally {
      await Promise.all(processes.map((each) => each.kill()))
      execFileSync('umount', [disk])
      rmSync(disk, { recursive: true })
    }
  }, 120_000)
}

/** A disk of 2 MiB, of which a new database takes half; null when this user may not mount. */
function mounted(): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'spillway-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder], { stdio: 'ignore' })
    mkdirSync(join(folder, 'data'))
    return folder
  } catch {
    rmSync(folder, { recursive: true })
    return null
  }
}

function fill(folder: string): void {
  const { bavail, bsize } = statfsSync(folder)
  writeFileSync(join(folder, 'filler'), Buffer.alloc(bavail * bsize))
}
