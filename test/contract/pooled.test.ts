// F37: a pooler that hands one connection to several clients.
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Write } from '../../internal/store/store.ts'
import { poolerTo } from '../fakes/postgres/pooler.ts'
import { type PostgresServer, startPostgres } from '../fakes/postgres/server.ts'
import { openOn, postgresDatabase } from './postgres.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres()
})
afterAll(() => server.stop())

test('a pooler in transaction mode is found out: changes are written and found by sweeps, and it is said', async () => {
  const database = await postgresDatabase(server)
  const near = await database.open()
  const pooler = await poolerTo(server.port, { user: 'postgres', database: database.name })
  const far = await openOn(database.url.replace(`:${server.port}/`, `:${pooler.port}/`))
  const shared = far.shared
  if (!shared) throw new Error('the store is not shared')
  expect(await shared.health()).toMatchObject({ isPooled: true })
  expect(await near.shared?.health()).toMatchObject({ isPooled: false })

  const said: string[] = []
  const stop = shared.watch({
    changed: () => said.push('changed'),
    away: (error) => said.push(error.message),
    back: () => said.push('back'),
    deaf: (why) => said.push(why),
  })
  await vi.waitUntil(() => said.length > 0, { timeout: 20_000 })
  expect(said).toEqual([expect.stringMatching(/^notifications do not arrive: a connection pooler in transaction mode/)])

  const write: Write = { put: 'meta', name: 'n', value: '1' }
  const { number } = await shared.snapshot()
  await near.commit({ writes: [write], audit: [] })
  expect(await shared.changes(number)).toMatchObject({ writes: [write] })
  await far.commit({ writes: [{ ...write, value: '2' }], audit: [] })
  expect((await near.load()).meta).toEqual({ n: '2' })
  await stop()
  await far.close()
  await near.close()
  await pooler.close()
  await database.remove()
})
