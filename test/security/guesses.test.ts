import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Sqlite } from '../../internal/store/driver.ts'
import { type Installation, installation } from '../fakes/rig/installation.ts'
import { askAdmin } from '../fakes/rig/terminal.ts'
import { crowd, post } from '../fakes/workers.ts'

const full = process.env.SPILLWAY_FULL === '1'
const attempts = 10_000

let spillway: Installation

beforeAll(async () => {
  spillway = await installation()
  await spillway.pool('openai', ['a', 'b'])
})

afterAll(() => spillway.close())

const fragments = [
  "' OR '1'='1",
  "'; DROP TABLE client_keys; --",
  '" UNION SELECT secret FROM secrets --',
  "') ; DELETE FROM audit WHERE ('1'='1",
  '%27%20OR%201=1--',
  '{{7*7}}',
  '../../etc/passwd%00',
  'a\u00e4\u00ff',
]

/** Something that a scanner would try: SQL in many shapes, or nothing but noise. */
const guess = (count: number) =>
  count % 2 === 0
    ? `${fragments[count % fragments.length]}${count}`
    : randomBytes(1 + (count % 60)).toString('base64url')

/** A name that can stand in a request target. */
const inTarget = (count: number) => guess(count).replace(/[^\x21-\x7e]|[\\/?#]/g, '_')

/** What the database holds beside what changes by itself. */
function tables(): unknown {
  const database = new Sqlite(join(spillway.data, 'spillway.db'), { readonly: true })
  const names = database.prepare(`select name from sqlite_schema where type = 'table' order by name`).pluck().all()
  const kept = ['client_keys', 'secrets', 'credentials', 'pools', 'seats']
  const rows = kept.map((name) => database.prepare(`select * from ${name}`).all())
  database.close()
  return { names, rows }
}

describe('A7: random and SQL-shaped input', () => {
  let before: unknown
  beforeAll(async () => {
    await spillway.daemon.core.engine.flush()
    before = tables()
  })

  it(`as ${attempts} client keys is 401, and builds no statement`, async () => {
    const request = (count: number) => post('/openai/v1/models', guess(count).replace(/\s/g, '+'))
    const { statuses, unanswered } = await crowd({ origin: spillway.origin, request, workers: 20, total: attempts })
    expect({ statuses, unanswered }).toEqual({ statuses: { 401: attempts }, unanswered: 0 })
    expect(tables()).toEqual(before)
  })

  it(`as ${attempts} pool names is 404 or 400, and builds no statement`, async () => {
    const request = (count: number) => post(`/${inTarget(count)}/v1/models`, spillway.key)
    const { statuses, unanswered } = await crowd({ origin: spillway.origin, request, workers: 20, total: attempts })
    expect(unanswered).toBe(0)
    expect((statuses[404] ?? 0) + (statuses[400] ?? 0)).toBe(attempts)
    expect(tables()).toEqual(before)
  })

  it('as arguments of the admin API is 404, 400 or nothing found, and builds no statement', async () => {
    const socketPath = join(spillway.data, 'admin.sock')
    for (const fragment of fragments) {
      const text = encodeURIComponent(fragment)
      for (const path of [`/v1/pools/${text}`, `/v1/credentials/${text}`, `/v1/pools/openai/explain?model=${text}`]) {
        expect([200, 400, 404]).toContain((await askAdmin({ socketPath, path })).status)
      }
      const rows = await askAdmin({ socketPath, path: `/v1/audit?pool=${text}` })
      expect([rows.status, JSON.parse(rows.text)]).toMatchObject([404, { code: 'not-found' }])
      const body = JSON.stringify({ name: fragment, provider: 'openai', members: ['a'] })
      const headers = { 'content-type': 'application/json' }
      const made = await askAdmin({ socketPath, method: 'POST', path: '/v1/pools', headers, body })
      expect(made.status).toBe(400)
    }
    expect(tables()).toEqual(before)
    expect(await spillway.ops.auditVerify({})).toMatchObject({ ok: true })
  })
})

describe('A8: a key', () => {
  const send = (key: string) => spillway.send('/openai/v1/models', { headers: { authorization: `Bearer ${key}` } })

  it.each([
    { name: 'its own prefix', forge: (key: string) => key.slice(0, -1) },
    { name: 'one more character', forge: (key: string) => `${key}A` },
    { name: 'another last character', forge: (key: string) => key.slice(0, -1) + (key.endsWith('A') ? 'B' : 'A') },
    { name: 'the id of a real key and another secret', forge: (key: string) => key.replace(/[^-]+$/, 'x'.repeat(40)) },
    { name: 'its letters in the other case', forge: (key: string) => key.toUpperCase() },
  ])('is not opened by $name', async ({ forge }) => {
    expect((await send(spillway.key)).status).toBe(200)
    expect((await send(forge(spillway.key))).status).toBe(401)
  })
})

describe('A16: wrong keys', () => {
  it('in their thousands are one row per window, and the database does not grow', async () => {
    await spillway.advance(30_000)
    const rows = (await spillway.audit()).length
    const { usedBytes } = await spillway.daemon.core.store.space()
    const request = (count: number) => post('/openai/v1/models', `sk-spillway-guess-${count}`)
    const total = full ? 100_000 : 20_000
    const { statuses } = await crowd({ origin: spillway.origin, request, workers: 20, total })
    expect(statuses).toEqual({ 401: total })
    await spillway.advance(30_000)
    expect((await spillway.audit()).slice(rows)).toMatchObject([{ kind: 'keys_guessed', detail: { attempts: total } }])
    expect((await spillway.daemon.core.store.space()).usedBytes - usedBytes).toBeLessThan(65_536)
  })
})
