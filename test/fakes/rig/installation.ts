import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Daemon, placesOf, startDaemon } from '../../../internal/app/app.ts'
import { type Clock, FakeClock } from '../../../internal/clock/clock.ts'
import { loadConfig } from '../../../internal/config/config.ts'
import { type Logger, silentLogger } from '../../../internal/log/log.ts'
import type { Ops } from '../../../internal/ops/ops.ts'
import { type FakeUpstream, fakeUpstream } from '../upstream/upstream.ts'

const stepMs = 1_500

/** What a story may change about its installation. */
export interface Setting {
  /** Settings by dotted name, as the environment would give them: `{ 'pools.maxWaitMs': '0' }`. */
  readonly config?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  readonly clock?: Clock
  readonly log?: Logger
  /** From 0 to 1: jitter and spread; always 0 when absent. */
  readonly random?: () => number
}

/** One answer as a client sees it. */
export interface Seen {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/**
 * A whole spillway in a directory of its own, in this process, over a fake clock and in front of a fake upstream; only
 * what is outside of it is fake.
 */
export class Installation {
  readonly data = mkdtempSync(join(tmpdir(), 'spillway-test-'))
  readonly upstream: FakeUpstream
  /** The clock of the story; `FakeClock` unless it brought its own. */
  readonly clock: Clock
  /** The client key `local`. */
  key = ''
  readonly #setting: Setting
  #daemon: Daemon | null = null

  constructor(upstream: FakeUpstream, setting: Setting) {
    this.upstream = upstream
    this.#setting = setting
    this.clock = setting.clock ?? new FakeClock()
  }

  get daemon(): Daemon {
    if (!this.#daemon) throw new Error('the daemon does not run')
    return this.#daemon
  }

  get origin(): string {
    return this.daemon.origin
  }

  /** The verbs, as an operator at the command line. */
  get ops(): Ops {
    return this.daemon.ops.as('operator:cli')
  }

  /** Moves the fake clock in steps that the store's thread can follow, because the store's deadlines run on it, too. */
  async advance(ms: number): Promise<void> {
    if (!(this.clock instanceof FakeClock)) throw new Error('this story runs on a real clock')
    for (let left = ms; left >= 0; left -= stepMs) {
      await this.clock.advance(Math.min(left, stepMs))
      await this.#daemon?.core.store.space()
      if (left === 0) return
    }
  }

  /** Moves the fake clock in steps that real connections can follow: what a step begins gets time to come about. */
  async pass(ms: number, step = 5_000): Promise<void> {
    for (let passed = 0; passed < ms; passed += step) {
      await this.advance(Math.min(step, ms - passed))
      await new Promise((resolve) => setTimeout(resolve, 15))
    }
  }

  async start(): Promise<void> {
    const env = {
      ...environment({ 'server.listen': '127.0.0.1:0', 'web.listen': 'null', ...this.#setting.config }),
      ...this.#setting.env,
    }
    const places = placesOf({ data: this.data, config: null }, env)
    const options = { file: places.config, explicit: false, env, dataDir: this.data }
    const loaded = loadConfig(options)
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
    this.#daemon = await startDaemon({
      places,
      config: loaded.config,
      env,
      clock: this.clock,
      log: this.#setting.log ?? silentLogger,
      random: this.#setting.random ?? (() => 0),
      version: '0.0.0-test',
      reread: async () => loadConfig(options),
    })
    if (this.key === '') this.key = (await this.ops.keyCreate({ name: 'local', keep: true })).key
  }

  /** Stops the daemon; what it was told is on the disk. */
  async stop(): Promise<void> {
    await this.#daemon?.stop()
    this.#daemon = null
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  /** Adds credentials whose secret is `sk-NAME` and a pool of them in front of the fake upstream. */
  async pool(
    name: string,
    members: readonly string[],
    more: { provider?: string; strategy?: string } = {},
  ): Promise<void> {
    const provider = more.provider ?? 'openai'
    for (const member of members) await this.credential(member, { provider })
    const strategy = more.strategy === undefined ? {} : { strategy: more.strategy }
    await this.ops.poolCreate({ name, provider, members: [...members], upstream: this.upstream.url, ...strategy })
  }

  async credential(name: string, more: { provider?: string; domain?: string; baseUrl?: string } = {}): Promise<void> {
    const source = { kind: 'vault' as const, secret: `sk-${name}` }
    await this.ops.credAdd({ name, source, provider: 'openai', ...more })
  }

  /** One chat completion through the pool, without any retry. */
  async ask(pool = 'openai', body: object = { model: 'gpt-5', messages: [] }): Promise<Seen> {
    return this.send(`/${pool}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  }

  async send(path: string, request: RequestInit = {}): Promise<Seen> {
    const response = await fetch(`${this.origin}${path}`, { redirect: 'manual', ...request })
    return { status: response.status, headers: response.headers, text: await response.text() }
  }

  /** The kinds of the audit rows from `after` on, oldest first, once everything is durable. */
  async audit(kind?: string) {
    await this.daemon.core.engine.flush()
    return this.daemon.core.store.audit(kind === undefined ? {} : { kind })
  }

  async close(): Promise<void> {
    await this.stop()
    await this.upstream.close()
    rmSync(this.data, { recursive: true, force: true })
  }
}

/** A running installation; close it when the story is over. */
export async function installation(setting: Setting = {}): Promise<Installation> {
  const made = new Installation(await fakeUpstream(), setting)
  await made.start()
  return made
}

function environment(config: Readonly<Record<string, string>>): Record<string, string> {
  const names = Object.entries(config).map(([key, value]): [string, string] => {
    const snake = key.replace(/\./g, '_').replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    return [`SPILLWAY_${snake.toUpperCase()}`, value]
  })
  return Object.fromEntries(names)
}
