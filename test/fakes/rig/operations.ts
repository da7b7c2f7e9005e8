import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeClock } from '../../../internal/clock/clock.ts'
import { type Config, loadConfig } from '../../../internal/config/config.ts'
import { createCredentials, type LiveCredentials } from '../../../internal/credential/credential.ts'
import { spokenBy } from '../../../internal/dialect/dialect.ts'
import { type Engine, type Finding, type Lease, startEngine, type Turn } from '../../../internal/engine/engine.ts'
import { type EventBus, eventBus } from '../../../internal/events/events.ts'
import { createKeyring, type Keyring } from '../../../internal/keys/keys.ts'
import { createOps, type Operations, type Ops, type OpsDeps } from '../../../internal/ops/ops.ts'
import { directly } from '../../../internal/outbound/outbound.ts'
import type { Outcome } from '../../../internal/pool/pool.ts'
import { Vault } from '../../../internal/vault/vault.ts'
import { unguarded } from '../unguarded.ts'
import { success } from './records.ts'
import { MemoryStore } from './store.ts'

/** A real engine, keyring, vault and credentials over a store in memory and a clock that stands still: what the verbs work on. */
export interface Bench {
  readonly clock: FakeClock
  readonly store: MemoryStore
  readonly bus: EventBus
  readonly engine: Engine
  readonly keys: Keyring
  readonly vault: Vault
  readonly credentials: LiveCredentials
  readonly operations: Operations
  readonly ops: Ops
  /** A fresh directory that stands for the data directory. */
  readonly data: string
  /** What the canonical probe finds from now on. */
  finding: Finding
  /** One attempt with the member that is next, ended as said; returns who it was, null for nobody. */
  attempt(pool: string, outcome?: Partial<Outcome>): string | null
  stop(): Promise<void>
}

export interface BenchOptions {
  readonly store?: MemoryStore
  readonly clock?: FakeClock
  readonly env?: Readonly<Record<string, string>>
  /** What a live daemon adds; an offline command has none of it. */
  readonly offline?: boolean
  readonly parts?: Partial<OpsDeps>
}

function defaultConfig(data: string): Config {
  const loaded = loadConfig({ file: join(data, 'spillway.yaml'), explicit: false, env: {}, dataDir: data })
  if (!loaded.ok) throw new Error('the defaults are wrong')
  return loaded.config
}

/** Starts one; the caller stops it. */
export async function startBench(options: BenchOptions = {}): Promise<Bench> {
  const data = mkdtempSync(join(tmpdir(), 'spillway-ops-'))
  const clock = options.clock ?? new FakeClock()
  const store = options.store ?? new MemoryStore()
  const vault = new Vault(new Uint8Array(32).fill(7))
  const config = defaultConfig(data)
  const bus = eventBus((error) => {
    throw error
  })
  const state: { finding: Finding } = { finding: 'cleared' }
  const probe = async () => ({
    finding: state.finding,
    reason: 'auth-rejected' as const,
    status: 401,
    asked: 'GET https://api.openai.com/v1/models',
  })
  const prober = { probe, check: probe }
  const engine = await startEngine({
    store,
    bus,
    clock,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    settings: {
      cooldown: config.cooldown,
      maxWaitMs: config.pools.maxWaitMs,
      onExhausted: config.pools.onExhausted,
      preemptAt: config.pools.preemptAt,
      affinity: config.pools.affinity,
      rampPerSecond: config.pools.rampPerSecond,
      dedupeMs: config.notices.dedupeMs,
      headMs: config.upstream.headMs,
      look: { mode: config.usage.look, everyMs: config.usage.lookMs },
      zoneMs: () => 0,
    },
    defaultBaseUrl: (of) => spokenBy(of).defaultBaseUrl,
    prober: () => prober,
    random: () => 0,
    onSuppressed: () => undefined,
  })
  const snapshot = await store.load()
  const keys = createKeyring(snapshot.keys)
  const credentials = createCredentials({
    clock,
    vault,
    store,
    directory: data,
    oauth: () => config.oauth,
    env: options.env ?? {},
    verdicts: {
      engineView({ id }) {
        const found = engine.credentials().find(({ record }) => record.id === id)
        return found && { generation: found.generation, health: found.health }
      },
      needsLogin: ({ name }, generation, reason) => engine.needsLogin(name, generation, reason),
      replaced: ({ name }) => engine.renewCredential(name, 'login', () => [], 'spillway'),
    },
    warn: () => undefined,
    random: () => 0,
  })
  credentials.add(snapshot.credentials, snapshot.secrets)
  const operations = createOps({
    outbound: directly,
    engine,
    store,
    keys,
    vault,
    credentials,
    prober,
    guard: unguarded(),
    notices: { test: async () => [], check: async () => [] },
    clock,
    version: '1.2.3',
    runtime: { node: '24.22.3', fastPath: options.offline ? null : true },
    paths: { data, masterKey: join(data, 'master.key'), database: null, config: null },
    config: () => config,
    startedAt: options.offline ? null : clock.now(),
    origin: () => 'http://127.0.0.1:8460',
    ...options.parts,
  })
  return {
    clock,
    store,
    bus,
    engine,
    keys,
    vault,
    credentials,
    operations,
    ops: operations.as('operator:test'),
    data,
    get finding() {
      return state.finding
    },
    set finding(finding) {
      state.finding = finding
    },
    attempt: (pool, outcome) => attempt(engine, pool, outcome),
    async stop() {
      await engine.stop()
      await credentials.stop()
    },
  }
}

function attempt(engine: Engine, name: string, outcome: Partial<Outcome> = {}): string | null {
  const pool = engine.find(name)
  if (!pool) throw new Error(`no pool ${name}`)
  const turn: Turn = engine.begin(pool, null)
  const decision = turn.next()
  if (decision.kind !== 'lease') {
    turn.end()
    return null
  }
  const lease: Lease = decision.lease
  turn.report({ ...success, ...outcome })
  turn.end()
  return lease.member
}

/** Adds credentials of the provider, one for each name, with secrets that no test looks for. */
export async function addCredentials(ops: Ops, names: readonly string[], provider = 'openai'): Promise<void> {
  for (const name of names)
    await ops.credAdd({ name, provider, source: { kind: 'vault', secret: `sk-test-${name}-0000000000` } })
}
