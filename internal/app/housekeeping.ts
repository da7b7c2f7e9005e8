import type { Clock } from '../clock/clock.ts'
import type { Config } from '../config/config.ts'
import type { EventKind } from '../events/events.ts'
import type { Logger } from '../log/log.ts'
import { noMeter, type ProxyMeter } from '../proxy/proxy.ts'
import type { Store } from '../store/store.ts'
import type { Core } from './core.ts'

export interface Meters {
  readonly meter: ProxyMeter
  readonly contentType: string
  suppressed(kind: EventKind): void
  refreshed(result: string): void
  watch(core: Core, clock: Clock, database: string): void
  render(): Promise<string>
}

export function meters(): Meters {
  return {
    meter: noMeter,
    contentType: 'text/plain',
    suppressed() {},
    refreshed() {},
    watch() {},
    render: async () => '',
  }
}

export function keepAudit(_store: Store, _clock: Clock, _log: Logger, _config: () => Config): () => void {
  return () => {}
}
