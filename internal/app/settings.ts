import type { Config } from '../config/config.ts'
import type { EngineSettings } from '../engine/engine.ts'
import type { ProxySettings } from '../proxy/proxy.ts'
import type { Retention, UsageRetention } from '../store/store.ts'
import { zoneOffset } from '../when/when.ts'

/** The engine's part of the configuration. */
export function engineSettings(config: Config): EngineSettings {
  const { cooldown, pools, notices, upstream, usage } = config
  return {
    cooldown,
    maxWaitMs: pools.maxWaitMs,
    onExhausted: pools.onExhausted,
    preemptAt: pools.preemptAt,
    affinity: pools.affinity,
    rampPerSecond: pools.rampPerSecond,
    dedupeMs: notices.dedupeMs,
    look: { mode: usage.look, everyMs: usage.lookMs },
    zoneMs: zoneOffset(notices.timeZone),
    headMs: upstream.headMs,
  }
}

/** The data plane's part of the configuration. */
export function proxySettings(config: Config): ProxySettings {
  const { server, upstream, replay } = config
  const { exposeMember, webSocket } = server
  return { exposeMember, webSocket, upstream, replay }
}

/** The file of the embedded database; null where replicas share one on a server. */
export function databaseOf({ store }: Config): string | null {
  return store.url.startsWith('sqlite:') ? store.url.slice('sqlite:'.length) : null
}

/** The budget of the ledger. */
export function usageRetentionOf({ usage }: Config): UsageRetention {
  return { maxAgeMs: usage.ledger.maxAge, maxBytes: usage.ledger.maxBytes }
}

/** The budget of the audit log. */
export function retentionOf({ audit }: Config): Retention {
  return { maxAgeMs: audit.maxAge, maxRows: audit.maxRows, maxBytes: audit.maxBytes }
}
