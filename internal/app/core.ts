import type { Clock } from '../clock/clock.ts'
import type { Config } from '../config/config.ts'
import { createCredentials, type LiveCredentials } from '../credential/credential.ts'
import { dialectOf, type Provider } from '../dialect/dialect.ts'
import { type Engine, type EngineSettings, type Prober, startEngine } from '../engine/engine.ts'
import { type EventBus, type EventKind, eventBus } from '../events/events.ts'
import { createKeyring, type Keyring } from '../keys/keys.ts'
import type { Logger } from '../log/log.ts'
import { openSqliteStore, type Store } from '../store/store.ts'
import { Vault } from '../vault/vault.ts'
import { masterKeyOf, type Places } from './places.ts'

const storeDeadlineMs = 5_000

/** What a daemon and an offline command have in common: the live state and the secrets, with nothing listening. */
export interface Core {
  readonly vault: Vault
  readonly store: Store
  readonly bus: EventBus
  readonly engine: Engine
  readonly keys: Keyring
  readonly credentials: LiveCredentials
  close(): Promise<void>
}

/** What a core is opened with. */
export interface CoreParts {
  readonly places: Places
  readonly config: Config
  readonly clock: Clock
  readonly log: Logger
  readonly env: Readonly<Record<string, string | undefined>>
  readonly random: () => number
  /** Asked when a suspect is to be probed. */
  readonly prober: () => Prober
  readonly onSuppressed: (kind: EventKind) => void
}

/** Opens the store and brings the live state back; throws when key file or database cannot be used. */
export async function openCore(parts: CoreParts): Promise<Core> {
  const { config, clock, log, env, random } = parts
  const file = databaseOf(config)
  const vault = new Vault(masterKeyOf(parts.places, file))
  const store = await openSqliteStore({ file, auditKey: vault.auditKey(), clock, deadlineMs: storeDeadlineMs })
  const bus = eventBus((error) => log.error({ error }, 'a listener failed'))
  const engine = await startEngine({
    store,
    bus,
    clock,
    log,
    random,
    settings: engineSettings(config),
    defaultBaseUrl: (provider) => dialectOf(provider as Provider).defaultBaseUrl,
    prober: parts.prober,
    onSuppressed: parts.onSuppressed,
  })
  const credentials = createCredentials({
    clock,
    vault,
    env,
    random,
    verdicts: verdictsOf(engine),
    warn: (message, credential, error) => log.warn({ credential, error }, message),
  })
  const snapshot = await store.load()
  credentials.add(snapshot.credentials, snapshot.secrets)
  await credentials.ready()
  const keys = createKeyring(snapshot.keys)
  return {
    vault,
    store,
    bus,
    engine,
    keys,
    credentials,
    async close() {
      await credentials.stop()
      await engine.stop()
      await store.close()
    },
  }
}

/** The file of the embedded database. */
export function databaseOf(config: Config): string {
  return config.store.url.replace(/^sqlite:/, '')
}

/** The engine's part of the configuration. */
export function engineSettings(config: Config): EngineSettings {
  const { cooldown, pools, notices, upstream } = config
  return {
    cooldown,
    maxWaitMs: pools.maxWaitMs,
    onExhausted: pools.onExhausted,
    preemptAt: pools.preemptAt,
    dedupeMs: notices.dedupeMs,
    headMs: upstream.headMs,
  }
}

function verdictsOf(engine: Engine) {
  const find = (id: string) => engine.credentials().find(({ record }) => record.id === id)
  return {
    standing(credential: { id: string }) {
      const found = find(credential.id)
      return found && { generation: found.generation, health: found.health.state }
    },
    needsLogin: (credential: { name: string }, generation: number, reason: 'unreadable' | 'refresh-rejected') =>
      engine.needsLogin(credential.name, generation, reason),
    replaced: (credential: { name: string }) => engine.renewCredential(credential.name, 'login', () => [], 'spillway'),
  }
}
