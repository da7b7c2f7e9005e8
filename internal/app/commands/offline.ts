import type { Clock } from '../../clock/clock.ts'
import type { Config } from '../../config/config.ts'
import { spokenBy } from '../../dialect/dialect.ts'
import type { Checker, Prober } from '../../engine/engine.ts'
import { silentLogger } from '../../log/log.ts'
import { createOps, type Notices } from '../../ops/ops.ts'
import type { DataPlane } from '../../proxy/proxy.ts'
import type { Lock } from '../../store/store.ts'
import { type Core, openCore } from '../core.ts'
import { guardOf } from '../guarding.ts'
import type { Places } from '../places.ts'
import { pricesOf } from '../prices.ts'
import { databaseOf, proxySettings } from '../settings.ts'
import { load } from './configuration.ts'
import { actor, type Environment, loading } from './loading.ts'

interface Around {
  readonly env: Environment
  readonly clock: Clock
  readonly version: string
}

/** The verbs over the store itself, while the lock is ours. */
export async function openOffline(places: Places, lock: Lock, { env, clock, version }: Around) {
  let dataPlane: DataPlane | null = null
  try {
    const { config } = load(loading(places, env))
    const log = silentLogger
    const core = await openCore({
      places,
      config,
      env,
      clock,
      log,
      version,
      isLive: false,
      random: Math.random,
      prober: () => prober,
      onSuppressed: () => undefined,
      oauth: () => config.oauth,
      refreshed: () => undefined,
    })
    const prober: Prober & Checker = {
      // Only `cred test` and a new credential ask the network; no other command should load what that takes.
      async probe(credential, pool) {
        dataPlane ??= await proxyOf(core, config, clock)
        return dataPlane.prober.probe(credential, pool)
      },
      async check(credential, pool) {
        dataPlane ??= await proxyOf(core, config, clock)
        return dataPlane.prober.check(credential, pool)
      },
    }
    const guard = guardOf({ core, clock, log, env, data: places.data, config: () => config })
    // Only `notices test` and `doctor` tell anybody; no other command should load what that takes.
    async function connected(): Promise<Notices> {
      const { telling } = await import('../daemon/telling.ts')
      const told = await telling({ core, clock, log, config, env, guard })
      told.connect(operations)
      return told.notices
    }
    const notices: Notices = {
      test: async () => (await connected()).test(),
      check: async () => (await connected()).check(),
    }
    const { host, port } = config.server.listen
    const operations = createOps({
      ...core,
      clock,
      version,
      runtime: { node: process.versions.node, fastPath: null },
      startedAt: null,
      config: () => config,
      prober,
      guard,
      notices,
      ledger: {
        sums: (query) => core.store.usage(query),
        cachedShare: () => null,
        get pricesAt() {
          return pricesOf(config.usage.prices).date
        },
      },
      paths: { ...places, database: databaseOf(config) },
      origin: () => `http://${host}:${port}`,
      // As the notifier shows them: the ordinary work of a pool is no incident.
      async incidents() {
        const { isRoutine } = await import('../../notify/notify.ts')
        const records = await core.store.incidents()
        return records.filter(({ kind }) => !isRoutine(kind)).map((record) => ({ record, text: null }))
      },
    })
    return {
      ops: operations.as(actor),
      async close() {
        operations.close()
        guard.stop()
        await dataPlane?.close()
        await core.close()
        lock.release()
      },
    }
  } catch (error) {
    lock.release()
    throw error
  }
}

async function proxyOf(core: Core, config: Config, clock: Clock): Promise<DataPlane> {
  const { createProxy, noMeter } = await import('../../proxy/proxy.ts')
  return createProxy({
    ...core,
    dialectOf: spokenBy,
    clock,
    log: silentLogger,
    settings: proxySettings(config),
    meter: noMeter,
  })
}
