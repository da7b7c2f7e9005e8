import { hostname } from 'node:os'
import { type Clock, sleep, within } from '../../clock/clock.ts'
import type { Config } from '../../config/config.ts'
import type { LiveGuard } from '../../guard/guard.ts'
import type { Logger } from '../../log/log.ts'
import {
  type Cost,
  createNotifier,
  createWebhook,
  isRoutine,
  type Notifier,
  type OpenIncident,
  type PoolNow,
} from '../../notify/notify.ts'
import type { Notices, Operations } from '../../ops/ops.ts'
import type { Telegram } from '../../telegram/telegram.ts'
import type { Core } from '../core.ts'
import { secretFrom } from '../secrets.ts'
import { committing } from '../sharing.ts'
import { type Watchdog, watchdog } from './watchdog.ts'

/** How long a message that belongs to no incident may take to be delivered. */
const remarkMs = 10_000
/** A stop does not wait longer for somebody to hear of it. */
const farewellMs = 2_000
/** How long one who does not lead any more may take to end what only it has told. */
const lastWordsMs = 10_000

/** The notifier and its channels. */
export interface Telling {
  readonly notices: Notices
  /** The conditions that hold now, as people are told them. */
  incidents(): Promise<readonly OpenIncident[]>
  /** Makes the channels, which can tell something from now on; whoever does not `start` them stops them all the same. */
  connect(ops: Operations): void
  /** Tells of incidents from now on, and listens for commands. */
  lead(): Promise<void>
  /** Leaves that to another process. */
  follow(): Promise<void>
  /** Another process has written to the audit log. */
  heard(): void
  /** Says that the program has started, and that it lives. */
  greet(): void
  stop(): Promise<void>
  /** Takes changed settings into use; channels change with the next start. */
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

/** A notifier with its channels; once it has ended, another one takes its place. */
interface Voice {
  readonly notifier: Notifier
  readonly bot: Telegram | null
}

/** The notices of the configuration: a Telegram bot, a webhook, both, or neither. */
export async function telling(parts: TellingDeps): Promise<Telling> {
  const { core, clock, log, config } = parts
  const settings = { ...config.notices }
  const host = config.notices.host ?? hostname()
  let isLeaving = false
  const mayTell = (kind: string) =>
    core.fleet.leads() || (kind === 'store_trouble' && (core.fleet.ledBefore() || isLeaving))
  const makeVoice = await voices(parts, { settings, host, mayTell })
  let make: () => Voice = () => makeVoice(null)
  let voice = make()
  let isLeading = false
  let pinging: Watchdog | null = null

  async function follow(): Promise<void> {
    if (!isLeading) return
    const { bot, notifier } = voice
    if (!core.fleet.ledBefore()) await untilStoreIsWell(notifier)
    isLeading = false
    voice = make()
    await bot?.stop()
    await notifier.stop()
  }

  /** Nobody else knows of a message that says that the store is away: whoever sent it ends it. */
  async function untilStoreIsWell(notifier: Notifier): Promise<void> {
    isLeaving = true
    const until = clock.now() + lastWordsMs
    const isAway = () => notifier.incidents().some(({ record }) => record.kind === 'store_trouble')
    while (isAway() && clock.now() < until) await sleep(clock, 500)
    await within(clock, farewellMs, notifier.flush(), undefined)
    isLeaving = false
  }

  /** Says that the program has started or stopped, if that is wanted. */
  async function heartbeat(about: 'started' | 'stopped', text: string): Promise<void> {
    if (settings.heartbeat === 'off') return
    const isSilent = settings.heartbeat === 'silent'
    await voice.notifier.remark({ about, text, command: null, isSilent }, farewellMs)
  }

  return {
    notices: {
      test: () => voice.notifier.remark({ about: 'test', ...test, isSilent: false }, remarkMs),
      check: async () => voice.bot?.check() ?? [],
    },
    async incidents() {
      if (isLeading) return voice.notifier.incidents()
      const records = await core.store.incidents()
      return records.filter(({ kind }) => !isRoutine(kind)).map((record) => ({ record, text: null }))
    },
    connect(ops) {
      make = () => makeVoice(ops)
      voice = make()
    },
    async lead() {
      isLeading = true
      voice.bot?.start()
      await voice.notifier.start()
    },
    follow,
    heard: () => voice.notifier.catchUp(),
    greet() {
      pinging = watchdog({ clock, log, fetch: core.outbound.fetch, settings: () => settings })
      void heartbeat('started', `spillway on ${host} is up.`)
    },
    async stop() {
      pinging?.stop()
      if (pinging) await heartbeat('stopped', `spillway on ${host} has stopped.`)
      await follow()
    },
    configure(changed) {
      Object.assign(settings, changed.notices)
      pinging?.changed()
    },
  }
}

/** Makes notifiers with the channels of the configuration; without verbs, with none. */
async function voices(
  parts: TellingDeps,
  how: { settings: Config['notices']; host: string; mayTell: (kind: string) => boolean },
): Promise<(ops: Operations | null) => Voice> {
  const { core, clock, log, config, env, guard } = parts
  const { telegram, webhook } = config.notices
  const signature = { file: webhook.secretFile, variable: webhook.secretEnv }
  const secret = secretFrom('notices.webhook', signature, env)
  const token = secretFrom('notices.telegram', { file: telegram.botTokenFile, variable: telegram.botTokenEnv }, env)
  // Loaded only where there is a bot: it is large.
  const telegramBot = token && (await import('../../telegram/telegram.ts'))
  const { store, bus } = core
  const { host } = how
  return (ops) => {
    const notifier = createNotifier({
      store: {
        load: () => store.load(),
        audit: (query) => store.audit(query),
        incidents: () => store.incidents(),
        outbox: () => store.outbox(),
        commit: committing(core),
      },
      ...{ ...how, bus, clock, log, channels: [], ...zoned(config) },
      poolNow: (name) => poolAsTold(core, name),
      costNow: (incident) => costOf(core, incident),
      factsNow: (kind, name) => guard.factsOf(kind, name),
    })
    if (!ops) return { notifier, bot: null }
    if (webhook.url !== null)
      notifier.attach(createWebhook({ url: webhook.url, secret, clock, fetch: core.outbound.fetch }))
    if (!token || !telegramBot) return { notifier, bot: null }
    const { chatIds, apiRoot } = telegram
    // grammY's own has connections that live longer than ours; it is only replaced where a proxy is on the way.
    const proxied = core.outbound.choice.proxyFor(new URL(apiRoot)) ? { fetch: core.outbound.fetch } : {}
    const bot = telegramBot.createTelegram({
      token,
      chatIds,
      apiRoot,
      ops,
      notifier,
      clock,
      log,
      host,
      ...zoned(config),
      ...proxied,
    })
    for (const channel of bot.channels) notifier.attach(channel)
    return { notifier, bot }
  }
}

const test = {
  text: 'This is a test: notices of spillway arrive here.',
  command: 'spillway notices test',
}

function zoned({ notices: { timeZone } }: Config): { timeZone?: string } {
  return timeZone === null ? {} : { timeZone }
}

function poolAsTold(core: Core, name: string): PoolNow | undefined {
  const pool = core.engine.pool(name)
  if (!pool) return undefined
  const { exhausted, retryAt } = pool
  const members = pool.members.map(({ name, health }) => ({
    name,
    health: {
      state: health.state,
      ...('until' in health ? { until: health.until } : {}),
    },
  }))
  return { exhausted, retryAt, members }
}

/** What an open incident costs those who send requests: a pool's, a host's, a credential's. */
function costOf(
  { engine }: Core,
  { kind, pool, subject }: { kind: string; pool: string | null; subject: string | null },
): Cost | null {
  const concerned = (names: readonly string[]) =>
    names.map((name) => ({ name, active: engine.pool(name)?.active ?? null }))
  if (kind === 'pool_exhausted')
    return { refused: (pool !== null && engine.pool(pool)?.incident?.refused) || 0, pools: [] }
  if (subject === null) return null
  if (kind === 'host_down') {
    const { refused, pools } = engine.outage(subject)
    return { refused, pools: concerned(pools) }
  }
  const credential = engine.credentials().find(({ record }) => record.name === subject)
  return credential ? { refused: null, pools: concerned(credential.pools) } : null
}
