import { afterAll, beforeAll } from 'vitest'
import { type PostgresServer, startPostgres } from '../fakes/postgres/server.ts'
import { storeContract } from './contract.ts'
import { postgresDatabase } from './postgres.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres()
})
afterAll(() => server.stop())

storeContract('PostgreSQL', () => postgresDatabase(server))
