/** The parts of a data plane for tests: the real proxy and engine, with the store in memory and fixed secrets. */
import type { Clock } from '../../../internal/clock/clock.ts'
import { type Credentials, NoMaterial, type Renewal } from '../../../internal/credential/credential.ts'
import { spokenBy } from '../../../internal/dialect/dialect.ts'
import { type Engine, startEngine } from '../../../internal/engine/engine.ts'
import { type EventBus, eventBus } from '../../../internal/events/events.ts'
import { createKeyring, mintKey } from '../../../internal/keys/keys.ts'
import type { Logger } from '../../../internal/log/log.ts'
import type { Outbound } from '../../../internal/outbound/outbound.ts'
import type { Reason } from '../../../internal/pool/pool.ts'
import {
  createProxy,
  type DataPlane,
  type ProxyMeter,
  type ProxySettings,
  type ServerIdentity,
} from '../../../internal/proxy/proxy.ts'
import type { CredentialRecord, Store } from '../../../internal/store/store.ts'
import { engineSettings } from './records.ts'
import { MemoryStore } from './store.ts'

/** Secrets as the tests set them; `renewals` and `missing` say what happens to whom. */
export class FixedCredentials implements Credentials {
  readonly secrets = new Map<string, string>()
  readonly missing = new Map<string, Reason>()
  readonly renewals = new Map<string, Renewal>()
  readonly renewed: string[] = []
  /** Renewals take until then. */
  renewing: Promise<void> = Promise.resolve()
  #generation = 1

  material(credential: CredentialRecord) {
    const { name, auth, header } = credential
    const reason = this.missing.get(name)
    if (reason) throw new NoMaterial(reason, `no secret for ${name}`)
    const secret = this.secrets.get(name) ?? `key-${name}`
    const kind = auth === 'oauth' ? ('bearer-token' as const) : ('api-key' as const)
    const injection = { secret, kind, accountId: null, header }
    return { injection, generation: this.#generation }
  }

  async renew(credential: CredentialRecord): Promise<Renewal> {
    this.renewed.push(credential.name)
    await this.renewing
    const renewal = this.renewals.get(credential.name) ?? 'unavailable'
    if (renewal === 'renewed') {
      this.#generation++
      this.secrets.set(credential.name, `key-${credential.name}-${this.#generation}`)
    }
    return renewal
  }
}

/** Settings of a proxy in tests, but for what is given. */
export function proxySettings(given: {
  readonly exposeMember?: boolean | undefined
  readonly webSocket?: boolean | undefined
  readonly upstream?: Partial<ProxySettings['upstream']> | undefined
  readonly replay?: Partial<ProxySettings['replay']> | undefined
}): ProxySettings {
  return {
    exposeMember: given.exposeMember ?? false,
    webSocket: given.webSocket ?? true,
    upstream: {
      connectMs: 2_000,
      headMs: 20_000,
      idleMs: 20_000,
      connections: 256,
      allowPrivate: ['127.0.0.0/8'],
      ...given.upstream,
    },
    replay: {
      maxAttempts: 3,
      maxBodyBytes: 33_554_432,
      maxTotalBytes: 268_435_456,
      budget: { ratio: 0.1, perSecond: 10 },
      holdMs: { codex: 60_000, default: 2_000 },
      ...given.replay,
    },
  }
}

/** A data plane that does not listen yet and has no pool. */
interface Plane {
  readonly proxy: DataPlane
  readonly engine: Engine
  readonly credentials: FixedCredentials
  readonly bus: EventBus
  /** The one client key that it knows. */
  readonly key: string
}

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/** Makes a data plane; what is left out is silent, in memory, direct, and without TLS. */
export async function startPlane(parts: {
  readonly clock: Clock
  readonly settings: ProxySettings
  readonly defaultBaseUrl: string
  readonly meter: ProxyMeter
  readonly maxWaitMs?: number | undefined
  readonly store?: Store
  readonly log?: Logger
  /** Told what a listener of the bus throws; thrown on when absent. */
  readonly failed?: (error: unknown) => void
  readonly identity?: ServerIdentity | undefined
  readonly outbound?: Outbound | undefined
}): Promise<Plane> {
  const { clock, settings, defaultBaseUrl, meter, log = silent, outbound } = parts
  const credentials = new FixedCredentials()
  const bus = eventBus((error) => {
    if (!parts.failed) throw error
    parts.failed(error)
  })
  const engine = await startEngine({
    store: parts.store ?? new MemoryStore(),
    bus,
    clock,
    log,
    settings: { ...engineSettings, maxWaitMs: parts.maxWaitMs ?? 0, headMs: settings.upstream.headMs },
    defaultBaseUrl: () => defaultBaseUrl,
    prober: () => proxy.prober,
    random: () => 0,
    onSuppressed: () => undefined,
  })
  const { record, key } = mintKey('test', null, clock.now())
  const proxy = createProxy({
    engine,
    credentials,
    keys: createKeyring([record]),
    bus,
    dialectOf: spokenBy,
    clock,
    log,
    settings,
    meter,
    identity: parts.identity ?? null,
    ...(outbound && { outbound }),
  })
  return { proxy, engine, credentials, bus, key: key.reveal() }
}
