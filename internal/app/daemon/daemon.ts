import { hostname } from 'node:os'
import { type Admin, createAdmin } from '../../admin/admin.ts'
import { keepAudit } from '../../audit/audit.ts'
import { type Clock, sleep } from '../../clock/clock.ts'
import { type Config, formatAddress } from '../../config/config.ts'
import { spokenBy } from '../../dialect/dialect.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { Logger } from '../../log/log.ts'
import { createOps, type Operations } from '../../ops/ops.ts'
import { createProxy, type DataPlane } from '../../proxy/proxy.ts'
import { type Core, openCore } from '../core.ts'
import { guardOf } from '../guarding.ts'
import type { Places } from '../places.ts'
import { pemFrom, secretFrom } from '../secrets.ts'
import { databaseOf, proxySettings, retentionOf } from '../settings.ts'
import { ledgerOf } from './bookkeeping.ts'
import { type Disk, watchDisk } from './disk.ts'
import { watchExpiry } from './expiry.ts'
import { adminEvents, logTransitions } from './feeds.ts'
import { countingGuesses } from './guesses.ts'
import { createMeters, type Meters } from './meters.ts'
import { type Reloader, reloader } from './reload.ts'
import { telling } from './telling.ts'
import { viewing } from './viewing.ts'

const defaultPort = 8460

/** What a daemon is started with; the whole outside world is an argument. */
export interface DaemonDeps {
  readonly places: Places
  readonly config: Config
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly log: Logger
  readonly random: () => number
  readonly version: string
  /** Reads the configuration again, for a reload. */
  readonly reread: Parameters<typeof reloader>[0]['reread']
}

/** A daemon that serves. */
export interface Daemon {
  readonly origin: string
  readonly adminPort: number | null
  readonly ops: Operations
  readonly core: Core
  readonly reloader: Reloader
  /** Says not ready, finishes what is under way within the configured time, and stops everything. */
  drain(): Promise<void>
  /** Stops everything at once. */
  stop(): Promise<void>
}

/** Starts a daemon: store, live state, admin socket, data port, notices, in this order; what was begun is undone on failure. */
export async function startDaemon(parts: DaemonDeps): Promise<Daemon> {
  const undo: (() => Promise<unknown> | unknown)[] = []
  try {
    return await start(parts, undo)
  } catch (error) {
    for (const step of undo.reverse()) await step()
    throw error
  }
}

async function start(parts: DaemonDeps, undo: (() => Promise<unknown> | unknown)[]): Promise<Daemon> {
  const { clock, log, config, env, places, version } = parts
  const startedAt = clock.now()
  const counts = createMeters()
  const core = await openCore({
    ...parts,
    isLive: true,
    timed: counts.timed,
    prober: () => proxy.prober,
    onSuppressed: counts.suppressed,
    oauth: () => reload.config.oauth,
    refreshed: counts.refreshed,
  })
  undo.push(() => core.close())
  let disk: Disk | null = null
  const ledger = ledgerOf({
    core,
    clock,
    log,
    counts,
    ownPrices: config.usage.prices,
    config: () => reload.config,
    isDiskShort: () => disk?.isShort === true,
  })
  const proxy = proxyOf(parts, { core, counts, ledger })
  undo.push(() => proxy.close())
  const guard = guardOf({ core, clock, log, env, data: places.data, config: () => reload.config })
  undo.push(() => guard.stop())
  const told = await telling({ core, clock, log, config, env, guard })
  const reload = reloader({ ...parts, core, proxy, told, guard })
  const view = viewing({ core, clock, log, config })
  const ops = createOps({
    ...core,
    clock,
    version,
    runtime: { node: process.versions.node, fastPath: proxy.fastPath, upstreams: proxy.upstreams },
    startedAt,
    config: () => reload.config,
    prober: proxy.prober,
    guard,
    ledger,
    notices: told.notices,
    paths: { ...places, database: databaseOf(config), config: places.config },
    origin: () => origin,
    reload: () => reload.now(),
    configNow: () => reload.look(),
    incidents: () => told.incidents(),
    replicas: () => core.fleet.replicas(),
    settings: () => reload.settings(),
    web: view.face,
  })
  undo.push(() => ops.close())
  const { host, port } = config.server.listen
  const bound = await proxy.listen(host, port)
  const origin = `${config.server.tls.certFile ? 'https' : 'http'}://${formatAddress(bound)}`
  const admin = await adminOf(parts, core, ops, counts)
  undo.push(() => admin.close())
  await view.start(ops)
  undo.push(() => view.stop())
  logTransitions(core.bus, log)
  told.connect(ops)
  undo.push(() => told.stop())
  disk = watchDisk(core, clock, { disk: () => reload.config.disk, path: places.data })
  counts.watch(core, clock, { disk, guard, fastPath: proxy.fastPath, upstreams: proxy.upstreams })
  const unwatchExpiry = watchExpiry(core, clock, (error) => log.warn({ error }, 'ends of tokens were not looked at'))
  const unkeep = keepAudit({
    store: core.store,
    clock,
    isMine: () => core.fleet.leads(),
    retention: () => retentionOf(reload.config),
    onError: (error) => log.warn({ error }, 'the audit log was not pruned'),
  })
  ledger.start()
  proxy.ready(true)
  core.engine.startScouting(proxy.scout)
  void core.engine.recall()
  core.present({ name: replicaName(config, bound.port), startedAt })
  await core.fleet.start({
    async begin() {
      await told.lead()
      guard.start()
    },
    async end() {
      guard.rest()
      await told.follow()
    },
    heard: () => told.heard(),
  })
  undo.push(() => core.fleet.stop())
  told.greet()

  async function stop(): Promise<void> {
    reload.stop()
    guard.stop()
    unkeep()
    unwatchExpiry()
    disk?.stop()
    await core.fleet.stop()
    await told.stop()
    ops.close()
    await view.stop()
    await admin.close()
    await proxy.close()
    await ledger.stop()
    await core.close()
  }

  return {
    origin,
    adminPort: admin.port,
    ops,
    core,
    reloader: reload,
    async drain() {
      void core.fleet.drain()
      proxy.ready(false)
      const { preDrainMs } = reload.config.server
      if (preDrainMs > 0) await sleep(clock, preDrainMs)
      await proxy.drain(reload.config.server.drainMs)
      await stop()
    },
    stop,
  }
}

/** What this replica is called in the fleet: several on one machine differ by their port. */
function replicaName({ notices, server }: Config, port: number): string {
  const host = notices.host ?? hostname()
  return port === server.listen.port && port === defaultPort ? host : `${host}:${port}`
}

function proxyOf(
  parts: DaemonDeps,
  { core, counts, ledger }: { core: Core; counts: Meters; ledger: Ledger },
): DataPlane {
  const { config, clock, log } = parts
  const { certFile, keyFile } = config.server.tls
  const identity =
    certFile && keyFile
      ? { cert: pemFrom('server.tls.certFile', certFile), key: pemFrom('server.tls.keyFile', keyFile) }
      : null
  return createProxy({
    ...core,
    keys: countingGuesses(core.keys, core.engine, clock),
    dialectOf: spokenBy,
    clock,
    log,
    settings: proxySettings(config),
    meter: counts.meter,
    books: ledger,
    identity,
  })
}

async function adminOf(parts: DaemonDeps, core: Core, ops: Operations, counts: Meters): Promise<Admin> {
  const { config, clock, log, env } = parts
  const admin = createAdmin({
    ops,
    metrics: counts,
    events: adminEvents(core.bus),
    after: (delayMs, run) => clock.after(delayMs, run),
    failed: (error, route) => log.error({ error, what: route }, 'an admin call failed'),
  })
  const token = secretFrom('admin.tokenFile', { file: config.admin.tokenFile, variable: null }, env)
  const tcp = config.admin.listen && token ? { ...config.admin.listen, token } : null
  await admin.listen({ socket: config.admin.socket, tcp })
  return admin
}
