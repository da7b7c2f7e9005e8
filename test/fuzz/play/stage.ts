import { readdirSync } from 'node:fs'
import { FakeClock } from '../../../internal/clock/clock.ts'
import type { Engine } from '../../../internal/engine/engine.ts'
import { BodyBudget } from '../../../internal/proxy/exchange/body-budget.ts'
import type { DataPlane } from '../../../internal/proxy/proxy.ts'
import type { Batch } from '../../../internal/store/store.ts'
import { type FixedCredentials, proxySettings, startPlane } from '../../fakes/rig/data-plane.ts'
import { credentialRecord, poolRecord } from '../../fakes/rig/records.ts'
import { MemoryStore } from '../../fakes/rig/store.ts'
import { secretPrefix } from '../cases/answers.ts'
import { mostHeldBody } from '../cases/requests.ts'
import { Echo } from './echo.ts'
import { FuzzUpstream } from './upstream.ts'
import { byConnector, passUndiciTime, trustSelfSigned, type Way } from './ways.ts'

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

const settings = proxySettings({
  replay: { maxBodyBytes: mostHeldBody, budget: { ratio: 1, perSecond: 1_000_000 } },
})

const membersEach = 3
const hourMs = 3_600_000

/** The running data port with the real engine behind it, many pools, a clock moved by hand, and an upstream of bare TCP. */
export class Stage {
  readonly proxy: DataPlane
  readonly engine: Engine
  readonly clock: FakeClock
  readonly upstream: FuzzUpstream
  readonly echo: Echo
  readonly key: string
  readonly port: number
  readonly pools: readonly string[]
  /** What the log was told of our own faults. */
  readonly crashes: string[]
  readonly #inFlight: () => number
  readonly #way: Way
  readonly #descriptors: number

  private constructor(
    parts: Pick<Stage, 'proxy' | 'engine' | 'clock' | 'upstream' | 'echo' | 'key' | 'port' | 'pools' | 'crashes'> & {
      inFlight: () => number
      way: Way
    },
  ) {
    this.proxy = parts.proxy
    this.engine = parts.engine
    this.clock = parts.clock
    this.upstream = parts.upstream
    this.echo = parts.echo
    this.key = parts.key
    this.port = parts.port
    this.pools = parts.pools
    this.crashes = parts.crashes
    this.#inFlight = parts.inFlight
    this.#way = parts.way
    this.#descriptors = descriptors()
  }

  static async start(pools: number, way: Way): Promise<Stage> {
    const clock = new FakeClock()
    if (way === 'tls') trustSelfSigned()
    const upstream = await FuzzUpstream.start(way === 'tls')
    const crashes: string[] = []
    const error = (fields: unknown, message?: string) =>
      void crashes.push(`${message}: ${String((fields as { error?: Error }).error?.stack)}`)
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
    const { engine, proxy, credentials, key } = await startPlane({
      clock,
      settings,
      defaultBaseUrl: upstream.url,
      meter,
      store: new ForgetfulStore(),
      log: { debug() {}, info() {}, warn() {}, error },
      failed: (thrown) => void crashes.push(String(thrown)),
      outbound: way === 'undici' ? byConnector : undefined,
    })
    const names = await fill(engine, credentials, { pools, url: upstream.url })
    const { port } = await proxy.listen('127.0.0.1', 0)
    proxy.ready(true)
    upstream.clientKey = key
    return new Stage({
      proxy,
      engine,
      clock,
      upstream,
      echo: await Echo.start(),
      key,
      port,
      pools: names,
      crashes,
      inFlight: () => inFlight,
      way,
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

  /** Lets time pass for the proxy. */
  async pass(ms: number): Promise<void> {
    if (this.#way === 'undici') passUndiciTime(ms)
    await this.clock.advance(ms)
  }

  /** Lets every cooldown end. */
  async rest(): Promise<void> {
    await this.pass(2 * hourMs)
    await this.engine.flush()
  }

  async close(): Promise<void> {
    await this.proxy.close()
    await this.engine.stop()
    await this.upstream.close()
    await this.echo.close()
    budgets.clear()
  }
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
      await engine.addCredential(credentialRecord({ name, provider: 'openai' }), [], 'test')
    }
    await engine.createPool(
      poolRecord({ name: pool, provider: 'openai', upstream: about.url }),
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
