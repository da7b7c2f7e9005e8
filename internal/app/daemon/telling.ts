import type { Clock } from '../../clock/clock.ts'
import type { Config } from '../../config/config.ts'
import type { LiveGuard } from '../../guard/guard.ts'
import type { Logger } from '../../log/log.ts'
import { createNotifier, createWebhook, type Notifier, type PoolNow } from '../../notify/notify.ts'
import type { Operations } from '../../ops/ops.ts'
import { createTelegram } from '../../telegram/telegram.ts'
import type { Core } from '../core.ts'
import { secretFrom } from '../secrets.ts'

/** The notifier and its channels. */
export interface Telling {
  readonly notifier: Notifier
  start(ops: Operations): Promise<void>
  stop(): Promise<void>
  /** Takes a changed dedupe window into use; channels change with the next start. */
  configure(config: Config): void
}

interface TellingDeps {
  readonly core: Core
  readonly clock: Clock
  readonly log: Logger
  readonly guard: Pick<LiveGuard, 'factsOf'>
  readonly config: Config
  readonly env: Readonly<Record<string, string | undefined>>
}

/** The notices of the configuration: a Telegram bot, a webhook, both, or neither. */
export function telling({ core, clock, log, config, env, guard }: TellingDeps): Telling {
  const settings = { dedupeMs: config.notices.dedupeMs }
  const { telegram, webhook } = config.notices
  const factsNow = (kind: string, name: string) => guard.factsOf(kind, name)
  const poolNow = (name: string) => poolAsTold(core, name)
  const notifier = createNotifier({
    store: core.store,
    bus: core.bus,
    clock,
    log,
    settings,
    channels: [],
    poolNow,
    factsNow,
  })
  const signature = { file: webhook.secretFile, variable: webhook.secretEnv }
  const secret = secretFrom('notices.webhook', signature, env)
  if (webhook.url !== null)
    notifier.attach(createWebhook({ url: webhook.url, secret, clock, fetch: core.outbound.fetch }))
  const bot = { file: telegram.botTokenFile, variable: telegram.botTokenEnv }
  const token = secretFrom('notices.telegram', bot, env)
  let stopBot = async () => {}
  return {
    notifier,
    async start(ops) {
      if (token) {
        const { chatIds, apiRoot } = telegram
        // grammY's own has connections that live longer than ours; it is only replaced where a proxy is on the way.
        const proxied = core.outbound.choice.proxyFor(new URL(apiRoot)) ? { fetch: core.outbound.fetch } : {}
        const running = createTelegram({ token, chatIds, apiRoot, ops, notifier, clock, log, ...proxied })
        for (const channel of running.channels) notifier.attach(channel)
        stopBot = () => running.stop()
        running.start()
      }
      await notifier.start()
    },
    async stop() {
      await stopBot()
      await notifier.stop()
    },
    configure(changed) {
      settings.dedupeMs = changed.notices.dedupeMs
    },
  }
}

function poolAsTold(core: Core, name: string): PoolNow | undefined {
  const pool = core.engine.pool(name)
  if (!pool) return undefined
  const { exhausted, retryAt, incident } = pool
  const members = pool.members.map(({ name, health }) => ({
    name,
    health: {
      state: health.state,
      ...('until' in health ? { until: health.until } : {}),
    },
  }))
  return { exhausted, retryAt, incident, members }
}
