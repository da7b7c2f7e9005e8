import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PostgresServer, startPostgres } from '../../fakes/postgres/server.ts'
import { TelegramFake } from '../../fakes/telegram/telegram.ts'
import { answer, type FakeUpstream, fakeUpstream } from '../../fakes/upstream/upstream.ts'
import { freePort } from '../process.ts'
import { Replica } from './replica.ts'

export const chat = 42
export const members = ['a', 'b', 'c', 'd'] as const
/** An answer that makes a member cool for an hour. */
export const limited = answer(
  429,
  { 'retry-after': '3600' },
  { error: { message: 'slow', code: 'rate_limit_exceeded' } },
)

/** Three replicas as processes over one PostgreSQL server, with an upstream and a Bot API. */
export class Ground {
  readonly server: PostgresServer
  readonly database: string
  readonly upstream: FakeUpstream
  readonly telegram: TelegramFake
  readonly replicas: readonly Replica[]
  readonly #folder: string
  readonly #env: Readonly<Record<string, string>>
  key = ''

  private constructor(
    parts: Pick<Ground, 'server' | 'database' | 'upstream' | 'telegram' | 'replicas'> & {
      folder: string
      env: Readonly<Record<string, string>>
    },
  ) {
    this.server = parts.server
    this.database = parts.database
    this.upstream = parts.upstream
    this.telegram = parts.telegram
    this.replicas = parts.replicas
    this.#folder = parts.folder
    this.#env = parts.env
  }

  /** The ground, with nothing started on an empty database. */
  static async open(): Promise<Ground> {
    const server = await startPostgres({ durable: true })
    const database = await server.createDatabase()
    const upstream = await fakeUpstream()
    const telegram = await TelegramFake.open()
    const folder = mkdtempSync(join(tmpdir(), 'spillway-fleet-'))
    const tokenFile = join(folder, 'token')
    writeFileSync(tokenFile, telegram.token, { mode: 0o600 })
    const env = {
      SPILLWAY_STORE_URL: `postgres://postgres@127.0.0.1:${server.port}/${database}`,
      SPILLWAY_NOTICES_TELEGRAM_BOT_TOKEN_FILE: tokenFile,
      SPILLWAY_NOTICES_TELEGRAM_CHAT_IDS: String(chat),
      SPILLWAY_NOTICES_TELEGRAM_API_ROOT: telegram.apiRoot,
      SPILLWAY_NOTICES_DEDUPE_MS: '0',
      SPILLWAY_POOLS_MAX_WAIT_MS: '0',
      SPILLWAY_SERVER_PRE_DRAIN_MS: '600ms',
      OPENAI_API_KEY: 'sk-environment',
    }
    const masterKey = randomBytes(32)
    const replicas: Replica[] = []
    for (const name of ['one', 'two', 'three'])
      replicas.push(new Replica({ name, port: await freePort(), masterKey, env }))
    return new Ground({ server, database, upstream, telegram, replicas, folder, env })
  }

  /** A replica with a master key of its own. */
  async stranger(): Promise<Replica> {
    return new Replica({ name: 'stranger', port: await freePort(), masterKey: randomBytes(32), env: this.#env })
  }

  /** The pool that is loaded, and the key for it. */
  async furnish(): Promise<void> {
    const { ops } = this.replica(0)
    this.key = (await ops.keyCreate({ name: 'load' })).key
    for (const name of members)
      await ops.credAdd({ name, provider: 'openai', source: { kind: 'vault', secret: `sk-${name}` } })
    await ops.poolCreate({ name: 'busy', provider: 'openai', members: [...members], upstream: this.upstream.url })
    await ops.credAdd({ name: 'only', provider: 'openai', source: { kind: 'vault', secret: 'sk-only' } })
    await ops.poolCreate({ name: 'tiny', provider: 'openai', members: ['only'], upstream: this.upstream.url })
    await this.same(async (replica) => (await replica.ops.poolList({})).length)
  }

  replica(at: number): Replica {
    const found = this.replicas[at % this.replicas.length]
    if (!found) throw new Error('no replica')
    return found
  }

  /** Resolves with how long it took until all say the same, in ms; rejects after 10 s with what they say. */
  async same(what: (replica: Replica) => Promise<unknown>): Promise<number> {
    const begun = performance.now()
    let said: string[] = []
    while (performance.now() - begun < 10_000) {
      said = await Promise.all(this.replicas.map(async (replica) => JSON.stringify(await what(replica))))
      if (said.every((each) => each === said[0])) return performance.now() - begun
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    throw new Error(`the replicas do not agree: ${said.join(' / ')}`)
  }

  async sql<T>(statement: string): Promise<T[]> {
    return (await this.server.run(statement, this.database)).rows
  }

  async close(): Promise<void> {
    for (const replica of this.replicas) await replica.close()
    await this.telegram.close()
    await this.upstream.close()
    await this.server.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** How many messages say that `tiny` is exhausted now; one that comes back is told in the same message. */
export function exhaustions({ telegram }: Ground): number {
  return telegram.shown(chat).filter(({ text }) => text.startsWith('tiny is exhausted')).length
}
