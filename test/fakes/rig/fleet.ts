import { copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../../internal/clock/clock.ts'
import { type PostgresServer, startPostgres } from '../postgres/server.ts'
import { type Relay, relayTo } from '../relay.ts'
import { type FakeUpstream, fakeUpstream } from '../upstream/upstream.ts'
import { Installation, type Setting } from './installation.ts'

/** Several daemons over one PostgreSQL server, each behind a relay of its own that a test can cut, with one upstream. */
export class Fleet {
  readonly server: PostgresServer
  readonly upstream: FakeUpstream
  readonly replicas: readonly Installation[]
  readonly relays: readonly Relay[]

  constructor(parts: Pick<Fleet, 'server' | 'upstream' | 'replicas' | 'relays'>) {
    this.server = parts.server
    this.upstream = parts.upstream
    this.replicas = parts.replicas
    this.relays = parts.relays
  }

  async close(): Promise<void> {
    for (const relay of this.relays) relay.restore()
    for (const replica of this.replicas) {
      await replica.stop()
      rmSync(replica.data, { recursive: true, force: true })
    }
    for (const relay of this.relays) await relay.close()
    await this.upstream.close()
    await this.server.stop()
  }
}

/** Starts so many replicas, with one master key and one client key; the clock is real, because the database is. */
export async function startFleet(count: number, setting: (index: number) => Setting = () => ({})): Promise<Fleet> {
  const server = await startPostgres()
  const database = await server.createDatabase()
  const upstream = await fakeUpstream()
  const replicas: Installation[] = []
  const relays: Relay[] = []
  for (let index = 0; index < count; index++) {
    const relay = await relayTo(server.port)
    const url = `postgres://postgres@127.0.0.1:${relay.port}/${database}`
    const given = setting(index)
    const own = { 'store.url': url, 'notices.host': `replica-${index + 1}`, ...given.config }
    const replica = new Installation(upstream, { clock: systemClock(), ...given, config: own })
    const [first] = replicas
    if (first) {
      copyFileSync(join(first.data, 'master.key'), join(replica.data, 'master.key'))
      replica.key = first.key
    }
    await replica.start()
    replicas.push(replica)
    relays.push(relay)
  }
  return new Fleet({ server, upstream, replicas, relays })
}
