import type { Clock } from '../clock/clock.ts'
import type { Config } from '../config/config.ts'
import { createCredentials, type LiveCredentials, type RefreshResult, type Verdicts } from '../credential/credential.ts'
import { spokenBy } from '../dialect/dialect.ts'
import { type Engine, type Prober, startEngine } from '../engine/engine.ts'
import { type EventBus, type EventKind, eventBus } from '../events/events.ts'
import { alone, type Fleet, NoTurn, Replicas } from '../fleet/fleet.ts'
import { createKeyring, holdsKey, type Keyring } from '../keys/keys.ts'
import type { Logger } from '../log/log.ts'
import { type Outbound, outboundOf } from '../outbound/outbound.ts'
import { Refusal } from '../pool/pool.ts'
import { type Store, StoreError, type Write } from '../store/store.ts'
import type { Vault } from '../vault/vault.ts'
import { openInstallation } from './opening.ts'
import type { Places } from './places.ts'
import { engineSettings } from './settings.ts'
import { hearingOf } from './sharing.ts'

/** What a daemon and an offline command have in common: the live state and the secrets, with nothing listening. */
export interface Core {
  readonly vault: Vault
  readonly store: Store
  readonly bus: EventBus
  readonly engine: Engine
  readonly keys: Keyring
  readonly credentials: LiveCredentials
  readonly outbound: Outbound
  /** The replicas that share the store. */
  readonly fleet: Fleet
  /** Runs it while no other replica runs anything of that name; rejects with a Refusal when it cannot be its turn. */
  inTurn<T>(name: string, run: () => Promise<T>): Promise<T>
  /** Hears of the rows that other replicas write; null where nobody else does. */
  readonly onOthers: ((hear: (writes: readonly Write[]) => void) => void) | null
  /** Says to other replicas who this one is, once it serves. */
  present(self: { readonly name: string; readonly startedAt: number }): void
  close(): Promise<void>
}

/** What a core is opened with. */
export interface CoreDeps {
  readonly places: Places
  readonly config: Config
  readonly clock: Clock
  readonly log: Logger
  readonly env: Readonly<Record<string, string | undefined>>
  readonly random: () => number
  readonly version: string
  /**
   * Whether this is the process that serves. Any other one may lack the variables, files and mounts that the daemon has:
   * what it cannot read lapses for nobody.
   */
  readonly isLive: boolean
  /** Asked when a suspect is to be probed. */
  readonly prober: () => Prober
  readonly onSuppressed: (kind: EventKind) => void
  /** The `oauth` section of the configuration in force. */
  readonly oauth: () => Config['oauth']
  readonly refreshed: (result: RefreshResult) => void
  /** Wraps the store so that its writes are measured. */
  readonly timed?: (store: Store, clock: Clock) => Store
}

/** Opens the store and brings the live state back; throws when key file or database cannot be used. */
export async function openCore(parts: CoreDeps): Promise<Core> {
  const { config, clock, log, env, random, version } = parts
  const outbound = wayOut(parts)
  const { vault, store: opened } = await openInstallation(parts)
  const store = parts.timed?.(opened, clock) ?? opened
  const { shared } = store
  const replicas = shared ? new Replicas({ store, shared, clock, log }) : null
  const begun = shared ? await shared.snapshot() : null
  const bus = eventBus((error) => log.error({ error }, 'a listener failed'))
  const engine = await startEngine({
    store,
    bus,
    clock,
    log,
    random,
    settings: engineSettings(config),
    defaultBaseUrl: (of) => spokenBy(of).defaultBaseUrl,
    prober: parts.prober,
    onSuppressed: parts.onSuppressed,
    ...(shared && replicas && begun ? { shared: { store: shared, ...begun, rights: replicas.rights } } : {}),
  })
  const credentials = createCredentials({
    clock,
    vault,
    store,
    env,
    random,
    directory: parts.places.data,
    outbound,
    oauth: parts.oauth,
    refreshed: (_credential, result) => parts.refreshed(result),
    changedAccount(credential, detail) {
      const pool = engine.credential(credential.id)?.pools[0] ?? null
      if (parts.isLive) engine.tell({ kind: 'cred_account_changed', from: credential.name, pool, detail })
    },
    refuses: (secret) => (holdsKey(secret) ? 'a client key of spillway itself' : null),
    follows: parts.isLive,
    ...(replicas ? { turns: (name) => replicas.hold(name) } : {}),
    verdicts: verdictsOf(engine, parts.isLive),
    warn: (message, credential, error) => log.warn({ credential, error }, message),
  })
  const snapshot = begun?.snapshot ?? (await store.load())
  credentials.add(snapshot.credentials, snapshot.secrets)
  await credentials.ready()
  if (parts.isLive) readable(engine, credentials)
  const keys = createKeyring(snapshot.keys)
  const hearers: ((writes: readonly Write[]) => void)[] = []
  const hearing = hearingOf({
    engine,
    credentials,
    keys,
    store,
    heard(writes) {
      for (const hear of hearers) hear(writes)
    },
  })
  if (begun) replicas?.follow(hearing, begun.number, { watches: parts.isLive })
  const fleet = replicas ?? alone()
  return {
    vault,
    store,
    bus,
    engine,
    keys,
    credentials,
    outbound,
    fleet,
    inTurn: (name, run) => fleet.inTurn(name, run).catch(asRefusal),
    onOthers: shared ? (hear) => void hearers.push(hear) : null,
    present: (self) => replicas?.present({ ...self, version }),
    async close() {
      await replicas?.stop()
      await credentials.stop()
      await engine.stop()
      await store.close()
    },
  }
}

/**
 * Refuses a proxy that cannot be used: going past it could be what its operator wants least. An offline command is refused
 * only when it asks for the network.
 */
function wayOut({ env, config, isLive }: CoreDeps): Outbound {
  try {
    return outboundOf(env, config.upstream.proxy)
  } catch (error) {
    const refusal = new Refusal('failed', error instanceof Error ? error.message : 'the outbound proxy cannot be used')
    if (isLive) throw refusal
    const refuse = () => {
      throw refusal
    }
    return { choice: { http: null, https: null, noProxy: '', proxyFor: refuse }, connector: refuse, fetch: refuse }
  }
}

function asRefusal(error: unknown): never {
  if (error instanceof NoTurn)
    throw new Refusal('try-later', `${error.message}: nothing was changed here`, 'try again in some seconds')
  if (error instanceof StoreError)
    throw new Refusal('try-later', `this is done once in the fleet, and ${error.message}`, 'try again when it is back')
  throw error
}

/** Whoever was out because its secret could not be read comes back when a start can read it. */
function readable(engine: Engine, credentials: LiveCredentials): void {
  for (const { record, health } of engine.credentials()) {
    if (health.state !== 'unreadable') continue
    if (credentials.problemOf(record)?.broken) continue
    // What could not be written is told by the engine, and in force all the same.
    engine.renewCredential(record.name, 'login', () => [], 'spillway').catch(() => {})
  }
}

function verdictsOf(engine: Engine, isLive: boolean): Verdicts {
  return {
    engineView(credential) {
      const found = engine.credential(credential.id)
      return found && { generation: found.generation, health: found.health }
    },
    async needsLogin(credential, generation, reason) {
      if (isLive) await engine.needsLogin(credential.name, generation, reason)
    },
    replaced: (credential, how) => engine.renewCredential(credential.name, how, () => [], 'spillway'),
  }
}
