/**
 * The Telegram bot: notices out (one channel per chat), commands and buttons in, for allowed chats only.
 * Everything it does goes through the verbs of `ops`; it never stands in the way of the data plane or of a stop.
 */
import type { Clock } from '../clock/clock.ts'
import type { Logger } from '../log/log.ts'
import type { Channel, Notifier } from '../notify/notify.ts'
import { instantsIn } from '../when/when.ts'
import type { TelegramOps } from './action.ts'
import { createBot, failure, problemOf } from './api.ts'
import { Front } from './bot.ts'
import { Buttons } from './buttons.ts'
import { Chat } from './chat.ts'
import { commands } from './commands.ts'
import { Poller } from './poller.ts'

/** What the bot is made of. */
export interface TelegramDeps {
  readonly token: { reveal(): string }
  /** Who is told and who may ask; everybody else is ignored. */
  readonly chatIds: readonly number[]
  /** Where the Bot API is, `https://api.telegram.org` or a server of one's own. */
  readonly apiRoot: string
  /** Calls the API; grammY's own when absent. */
  readonly fetch?: typeof fetch
  readonly ops: TelegramOps
  readonly notifier: Pick<Notifier, 'mute' | 'mutedUntil' | 'offers'>
  readonly clock: Clock
  readonly log: Logger
  /** What this machine is called. */
  readonly host: string
  /** The time zone of the answers (an IANA name); the machine's own by default. */
  readonly timeZone?: string
}

/** The bot of one token. */
export interface Telegram {
  /** One per chat; `notifier.attach` takes them. */
  readonly channels: readonly Channel[]
  /** Begins to listen for commands, in the background; whether Telegram can be reached does not matter. */
  start(): void
  /** Ends every call under way; resolves at once when none is. */
  stop(): Promise<void>
  /** How many updates came from chats that are not allowed. */
  ignored(): number
  /** Asks Telegram for the bot and for each chat: what keeps a notice from arriving, null when nothing does. */
  check(): Promise<readonly { readonly channel: string; readonly problem: string | null }[]>
}

/** The bot for these chats; it sends when its channels are used, and listens after `start`. */
export function createTelegram(parts: TelegramDeps): Telegram {
  const { chatIds, ops, notifier, clock, log, timeZone, host } = parts
  const stopping = new AbortController()
  const bot = createBot({ ...parts, stopping: stopping.signal })
  const buttons = new Buttons()
  const now = () => clock.now()
  const chats = new Map([...new Set(chatIds)].map((id) => [id, new Chat({ id, bot, buttons, now })]))
  const deps = { ops, notifier, now, host, instant: instantsIn(timeZone) }
  const front = new Front({ bot, chats, buttons, deps, log })

  /** The menu of commands, in the allowed chats only: strangers learn nothing. */
  async function setMenus(): Promise<void> {
    const menu = commands.map(({ name, description }) => ({ command: name, description }))
    for (const id of chats.keys()) {
      const scope = { type: 'chat', chat_id: id } as const
      await bot.api.setMyCommands(menu, { scope }).catch((error: unknown) => {
        log.debug({ chat: id, ...failure(error) }, 'the menu of a Telegram chat was not set')
      })
    }
  }

  async function checked({ name, id }: Chat) {
    try {
      await bot.api.getMe()
      await bot.api.getChat(id)
      return { channel: name, problem: null }
    } catch (error) {
      return { channel: name, problem: problemOf(error) ?? String(error) }
    }
  }

  const handle = (update: Parameters<typeof bot.handleUpdate>[0]) => bot.handleUpdate(update)
  const poller = new Poller({ bot, clock, log, stopping: stopping.signal, prepare: setMenus, handle })
  let running: Promise<void> = Promise.resolve()
  return {
    channels: [...chats.values()],
    start() {
      running = poller.run()
    },
    async stop() {
      stopping.abort()
      await running
    },
    ignored: () => front.ignored,
    check: () => Promise.all([...chats.values()].map(checked)),
  }
}
