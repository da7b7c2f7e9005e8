import { readdirSync } from 'node:fs'
import { FakeClock } from '../../internal/clock/clock.ts'
import { spokenBy } from '../../internal/dialect/dialect.ts'
import { type Engine, startEngine } from '../../internal/engine/engine.ts'
import { eventBus } from '../../internal/events/events.ts'
import { createKeyring, mintKey } from '../../internal/keys/keys.ts'
import { BodyBudget } from '../../internal/proxy/exchange/body-budget.ts'
import { createProxy, type DataPlane, type ProxySettings } from '../../internal/proxy/proxy.ts'
import type { Batch } from '../../internal/store/store.ts'
import { FixedCredentials } from '../fakes/rig.ts'
import { MemoryStore } from '../fakes/store.ts'
import { secretPrefix } from './plans.ts'
import { mostHeldBody } from './requests.ts'
import { FuzzUpstream } from './upstream.ts'

/** A store that remembers rows but no history, which grows without end. */
class ForgetfulStore extends MemoryStore {
  override async commit(batch: Batch): Promise<readonly number[]> {
    const seqs = await super.commit(batch)
    this.rows.length = 0
    this.batches.length = 0
    return seqs
  }
}

/** Budgets that have ever been taken from: what they hold can be seen nowhere else. */
const budgets = new Set<BodyBudget>()
const { take } = BodyBudget.prototype
BodyBudget.prototype.take = function (...how) {
  budgets.add(this)
  return take.apply(this, how)
}

const settings: ProxySettings = {
  exposeMember: false,
  webSocket: true,
  upstream: { connectMs: 2_000, headMs: 20_000, idleMs: 20_000, connections: 256, allowPrivate: ['127.0.0.0/8'] },
  replay: {
    maxAttempts: 3,
    maxBodyBytes: mostHeldBody,
    maxTotalBytes: 268_435_456,
    holdMs: { codex: 60_000, default: 2_000 },
    budget: { ratio: 1, perSecond: 1_000_000 },
  },
}

const membersEach = 3
const hourMs = 3_600_000

/** The running data port with the real engine behind it, many pools, a clock moved by hand, and an upstream of bare TCP. */
export class Stage {
  readonly proxy: DataPlane
  readonly engine: Engine
  readonly clock: FakeClock
  readonly upstream: FuzzUpstream
  readonly key: string
  readonly port: number
  readonly pools: readonly string[]
  /** What the log was told of our own faults. */
  readonly crashes: string[]
  readonly #inFlight: () => number
  readonly #descriptors: number

  private constructor(
    parts: Pick<Stage, 'proxy' | 'engine' | 'clock' | 'upstream' | 'key' | 'port' | 'pools' | 'crashes'> & {
      inFlight: () => number
    },
  ) {
    this.proxy = parts.proxy
    this.engine = parts.engine
    this.clock = parts.clock
    this.upstream = parts.upstream
    this.key = parts.key
    this.port = parts.port
    this.pools = parts.pools
    this.crashes = parts.crashes
    this.#inFlight = parts.inFlight
    this.#descriptors = descriptors()
  }

  static async start(pools: number): Promise<Stage> {
    const clock = new FakeClock()
    const upstream = await FuzzUpstream.start()
    const credentials = new FixedCredentials()
    const crashes: string[] = []
    const error = (fields: unknown, message?: string) =>
      crashes.push(`${message}: ${String((fields as { error?: Error }).error?.stack)}`)
    const log = { debug() {}, info() {}, warn() {}, error }
    const bus = eventBus((thrown) => crashes.push(String(thrown)))
    const engine = await startEngine({
      store: new ForgetfulStore(),
      bus,
      clock,
      log,
      settings: engineSettings,
      defaultBaseUrl: () => upstream.url,
      prober: () => proxy.prober,
      random: () => 0,
      onSuppressed: () => undefined,
    })
    const { record, key } = mintKey('fuzz', null, clock.now())
    let inFlight = 0
    const meter = {
      request() {},
      attempt() {},
      inflight: (_pool: string, change: number) => {
        inFlight += change
      },
      overhead() {},
      ttfb() {},
    }
    const keys = createKeyring([record])
    const proxy = createProxy({
      engine,
      credentials,
      keys,
      bus,
      dialectOf: spokenBy,
      clock,
      log,
      settings,
      meter,
      identity: null,
    })
    const names = await fill(engine, credentials, { pools, url: upstream.url })
    const { port } = await proxy.listen('127.0.0.1', 0)
    proxy.ready(true)
    upstream.clientKey = key.reveal()
    return new Stage({
      proxy,
      engine,
      clock,
      upstream,
      key: key.reveal(),
      port,
      pools: names,
      crashes,
      inFlight: () => inFlight,
    })
  }

  /** What has not come back to its start; empty when everything has. */
  leftovers(): string[] {
    const left: string[] = []
    const { upstream, proxy, engine } = this
    if (proxy.inFlight !== 0) left.push(`${proxy.inFlight} exchanges in flight`)
    if (this.#inFlight() !== 0) left.push(`${this.#inFlight()} in flight on the meter`)
    const used = [...budgets].reduce((sum, budget) => sum + budget.used, 0)
    if (used !== 0) left.push(`${used} bytes of held bodies`)
    const open = descriptors() - this.#descriptors - 2 * upstream.connections
    if (open !== 0) left.push(`${open} descriptors`)
    for (const name of this.pools) {
      const pool = engine.find(name)
      if (pool?.inFlight !== 0) left.push(`${pool?.inFlight} in flight in ${name}`)
    }
    return left
  }

  /** Members that are not as they were at the start. */
  unwell(): string[] {
    const found: string[] = []
    for (const { record, members } of this.engine.pools()) {
      for (const member of members) {
        if (member.inFlight !== 0) found.push(`${member.inFlight} in flight at ${member.name}`)
        const { health } = member
        const isOver =
          health.state === 'healthy' || ('until' in health && health.until !== null && health.until <= this.clock.now())
        if (!isOver) found.push(`${member.name} of ${record.name} is ${health.state}`)
      }
    }
    return found
  }

  /** Lets every cooldown end. */
  async rest(): Promise<void> {
    await this.clock.advance(2 * hourMs)
    await this.engine.flush()
  }

  async close(): Promise<void> {
    await this.proxy.close()
    await this.engine.stop()
    await this.upstream.close()
    budgets.clear()
  }
}

const engineSettings = {
  cooldown: { rateLimitedMs: 60_000, authMs: 300_000, maxMs: 1_800_000, parkMs: 300_000, earlyProbeMs: 900_000 },
  maxWaitMs: 0,
  onExhausted: 'reject' as const,
  preemptAt: null,
  dedupeMs: 30_000,
  headMs: settings.upstream.headMs,
}

async function fill(
  engine: Engine,
  credentials: FixedCredentials,
  about: { pools: number; url: string },
): Promise<string[]> {
  const names = Array.from({ length: about.pools }, (_, at) => `p${String(at).padStart(4, '0')}`)
  for (const pool of names) {
    const members = Array.from({ length: membersEach }, (_, at) => `${pool}-${at}`)
    for (const name of members) {
      credentials.secrets.set(name, `${secretPrefix}${name}-0123456789`)
      const record = {
        id: `id-${name}`,
        name,
        provider: 'openai',
        baseUrl: null,
        domain: null,
        header: null,
        source: { kind: 'vault' as const },
        auth: 'api-key' as const,
        createdAt: 0,
      }
      await engine.addCredential(record, [], 'test')
    }
    const record = {
      name: pool,
      provider: 'openai',
      upstream: about.url,
      strategy: 'sticky',
      maxWaitMs: null,
      onExhausted: null,
      preemptAt: null,
      probePath: null,
      createdAt: 0,
    }
    await engine.createPool(
      record,
      members.map((member) => ({ member, weight: 1 })),
      'test',
    )
  }
  return names
}

/** Open descriptors of this process; 0 where that cannot be seen. */
export function descriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return 0
  }
}
