import { tmpdir } from 'node:os'
import { systemClock } from '../../internal/clock/clock.ts'
import { openPostgresStore, type PostgresSettings, type Store } from '../../internal/store/store.ts'
import { Secret } from '../../internal/vault/vault.ts'
import type { PostgresServer } from '../fakes/postgres/server.ts'
import type { Database } from './bench.ts'
import { keyOf } from './sqlite.ts'

/** A database on a server of the test's own. */
export interface PostgresDatabase extends Database {
  readonly name: string
  readonly url: string
}

/** Makes a new database. */
export async function postgresDatabase(server: PostgresServer): Promise<PostgresDatabase> {
  const name = await server.createDatabase()
  const url = `postgres://postgres@127.0.0.1:${server.port}/${name}`
  return {
    name,
    url,
    open: (signer = 1) => openOn(url, { signer }),
    tamper: async (statements) => void (await server.run(statements, name)),
    remove: () => server.dropDatabase(name),
  }
}

interface Opening {
  readonly signer?: number
  readonly keyId?: string
  readonly statementMs?: number
  readonly connectMs?: number
  readonly program?: string
  readonly password?: string
  readonly ca?: string
  readonly env?: Readonly<Record<string, string>>
}

/** What a database is opened with. */
export function settingsFor(url: string, options: Opening = {}): PostgresSettings {
  const {
    signer = 1,
    keyId = keyOf(signer).keyId,
    statementMs = 15_000,
    connectMs = 15_000,
    program = '0.1.0',
  } = options
  const { password, ca = null, env = {} } = options
  return {
    url,
    key: { ...keyOf(signer), keyId },
    clock: systemClock(),
    env: { PGPASSFILE: '/nonexistent', ...env },
    password: password === undefined ? null : () => new Secret(password),
    tls: { ca, cert: null, key: null },
    connectMs,
    statementMs,
    connections: 4,
    program,
    directory: tmpdir(),
  }
}

/** Opens the Store that the URL names. */
export function openOn(url: string, options: Opening = {}): Promise<Store> {
  return openPostgresStore(settingsFor(url, options))
}
