import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { AuthServer } from '../../../test/fakes/auth/auth-server.ts'
import { codexTokens, writeCodexLogin } from '../../../test/fakes/auth/logins.ts'
import { addCredentials, type Bench, startBench } from '../../../test/fakes/rig/operations.ts'
import { limited } from '../../../test/fakes/rig/records.ts'
import { FakeClock } from '../../clock/clock.ts'
import type { Ops } from '../ops.ts'

const hour = 3_600_000
let auth: AuthServer
let clock: FakeClock
let bench: Bench
let ops: Ops

beforeEach(async () => {
  auth = await AuthServer.start()
  await begin(0)
})

/** Begins with a clock that is so far ahead of the server's, whose tokens end after an hour by its own time. */
async function begin(aheadMs: number): Promise<void> {
  await bench?.stop()
  clock = new FakeClock(Date.now() + aheadMs)
  bench = await startBench({ clock })
  ops = bench.ops
}

afterEach(async () => {
  await bench.stop()
  await auth.stop()
})

const file = (name: string) => join(bench.data, `${name}.json`)

async function imported(name: string, accountId = 'acc-1', copy = true): Promise<string> {
  const given = auth.login(name)
  writeCodexLogin(file(name), given, accountId)
  await ops.credImport({ tool: 'codex', path: file(name), name, copy, tokenUrl: auth.tokenUrl })
  // Sealed tokens are opened by a timer.
  await clock.advance(0)
  return given.accessToken
}

const issued = async () => (await ops.auditList({ kind: 'token_issued' })).map(({ pool, from }) => [pool, from])

describe('the token of a pool', () => {
  test('is that of the member who would serve, with its account and its end, and audited', async () => {
    const [one, two] = [await imported('one', 'acc-1'), await imported('two', 'acc-2')]
    await ops.poolCreate({ name: 'codex', provider: 'codex', members: ['one', 'two'] })
    expect(await ops.poolToken({ name: 'codex' })).toEqual({
      pool: 'codex',
      member: 'one',
      provider: 'codex',
      kind: 'bearer-token',
      token: one,
      accountId: 'acc-1',
      expiresAt: expect.stringMatching(/^\d{4}-.*Z$/),
    })
    bench.attempt('codex', limited)
    expect(await ops.poolToken({ name: 'codex' })).toMatchObject({ member: 'two', token: two, accountId: 'acc-2' })
    expect(await issued()).toEqual([
      ['codex', 'one'],
      ['codex', 'two'],
    ])
    expect(JSON.stringify([bench.store.batches, await ops.auditExport({})])).not.toContain(one)
  })

  test('is refreshed when it is due, once for all who ask', async () => {
    await begin(hour - 60_000)
    const before = await imported('one')
    await ops.poolCreate({ name: 'codex', provider: 'codex', members: ['one'] })
    const tokens = await Promise.all(Array.from({ length: 20 }, () => ops.poolToken({ name: 'codex' })))
    const [first] = tokens
    expect(new Set(tokens.map(({ token }) => token))).toEqual(new Set([first?.token]))
    expect(first?.token).not.toBe(before)
    expect(auth.accepts(first?.token ?? '')).toBe(true)
    expect(auth.history).toHaveLength(1)
  })

  test('is that of the next member when the first one has lapsed, and nobody is asked twice', async () => {
    await begin(hour + 1_000)
    await imported('one')
    await imported('two')
    await ops.poolCreate({ name: 'codex', provider: 'codex', members: ['one', 'two'] })
    auth.revoke('one')
    for (let i = 0; i < 3; i++) expect(await ops.poolToken({ name: 'codex' })).toMatchObject({ member: 'two' })
    expect(auth.history.map(({ result }) => result)).toEqual(['refused', 'granted'])
    expect(await ops.poolExplain({ name: 'codex' })).toMatchObject({
      members: [{ name: 'one', why: 'needs-login', command: 'spillway cred login one' }, { name: 'two' }],
    })
  })

  test('is the key of a pool of keys', async () => {
    await addCredentials(ops, ['a'])
    await ops.poolCreate({ name: 'openai', provider: 'openai', members: ['a'] })
    const found = { kind: 'api-key', token: 'sk-test-a-0000000000', accountId: null, expiresAt: null }
    expect(await ops.poolToken({ name: 'openai' })).toMatchObject(found)
  })
})

describe('there is no token to be had', () => {
  test('while the pool cools', async () => {
    await addCredentials(ops, ['a'])
    await ops.poolCreate({ name: 'openai', provider: 'openai', members: ['a'] })
    bench.attempt('openai', limited)
    const cooling = { code: 'try-later', message: expect.stringMatching(/^openai cannot serve before 2/) }
    await expect(ops.poolToken({ name: 'openai' })).rejects.toMatchObject(cooling)
    await ops.poolSet({ name: 'openai', set: { onExhausted: 'degrade' } })
    await expect(ops.poolToken({ name: 'openai' })).rejects.toMatchObject(cooling)
    expect(await issued()).toEqual([])
  })

  test('when a person must act, and the command is named', async () => {
    await begin(hour + 1_000)
    await imported('one')
    await ops.poolCreate({ name: 'codex', provider: 'codex', members: ['one'] })
    auth.revoke('one')
    const lapsed = { code: 'needs-person', hint: 'spillway cred login one' }
    await expect(ops.poolToken({ name: 'codex' })).rejects.toMatchObject(lapsed)
    await expect(ops.poolToken({ name: 'codex' })).rejects.toMatchObject(lapsed)
    await expect(ops.token({ name: 'one' })).rejects.toMatchObject({ ...lapsed, message: 'one needs a login' })
    expect(auth.history).toHaveLength(1)
    await ops.credDisable({ name: 'one' })
    await expect(ops.token({ name: 'one' })).rejects.toMatchObject({
      code: 'needs-person',
      message: 'one is disabled',
      hint: 'spillway cred enable one',
    })
  })

  test('while the authorization server fails, until its next attempt', async () => {
    await begin(hour + 1_000)
    await imported('one')
    await ops.poolCreate({ name: 'codex', provider: 'codex', members: ['one'] })
    auth.trouble(503)
    const refused = await ops.poolToken({ name: 'codex' }).catch((error: unknown) => error)
    const hint = expect.stringMatching(/^the next attempt is at 2/)
    expect(refused).toMatchObject({ code: 'try-later', hint })
    await expect(ops.poolToken({ name: 'codex' })).rejects.toMatchObject({ code: 'try-later', hint })
    expect(auth.history).toHaveLength(1)
    const at = Date.parse(String(Object(refused).hint).replace(/.* /, ''))
    // Not further: what begins then is real, and has deadlines.
    await clock.advance(at - clock.now())
    expect(await ops.poolToken({ name: 'codex' })).toMatchObject({ member: 'one' })
  })

  test('when its file is gone', async () => {
    await imported('one', 'acc-1', false)
    rmSync(file('one'))
    await ops.credRemove({ name: 'one' })
    await ops.credAdd({ name: 'one', provider: 'codex', source: { kind: 'file', path: file('one'), format: 'codex' } })
    await expect(ops.token({ name: 'one' })).rejects.toMatchObject({
      code: 'needs-person',
      hint: 'spillway cred show one',
    })
  })

  test('of what does not exist, with the nearest name of both kinds', async () => {
    await addCredentials(ops, ['work'])
    await ops.poolCreate({ name: 'openai', provider: 'openai', members: ['work'] })
    const missing = (name: string, message: string) =>
      expect(ops.token({ name })).rejects.toMatchObject({ code: 'not-found', message })
    await missing('opnai', 'no pool or credential named opnai; did you mean openai?')
    await missing('wrk', 'no pool or credential named wrk; did you mean work?')
    await expect(ops.poolToken({ name: 'work' })).rejects.toMatchObject({ code: 'not-found' })
  })
})

test('a name that a pool and a credential share is the pool', async () => {
  await addCredentials(ops, ['openai', 'other'])
  await ops.poolCreate({ name: 'openai', provider: 'openai', members: ['other'] })
  expect(await ops.token({ name: 'openai' })).toMatchObject({ pool: 'openai', member: 'other' })
  expect(await ops.token({ name: 'other' })).toMatchObject({ pool: null, member: 'other' })
})

test('a shared login serves with what its tool has refreshed', async () => {
  await imported('one', 'acc-1', false)
  const given = auth.login('one')
  writeCodexLogin(file('one'), given, 'acc-1')
  await clock.advance(500)
  await expect.poll(async () => (await ops.token({ name: 'one' })).token).toBe(given.accessToken)
  expect(codexTokens(file('one')).access_token).toBe(given.accessToken)
  expect(auth.history).toEqual([])
})
