import type { Bot, Context } from 'grammy'
import type { Logger } from '../log/log.ts'
import { type Action, type ActionDeps, carryOut, commandFor, sentenceOf } from './action.ts'
import { failure } from './api.ts'
import type { Buttons } from './buttons.ts'
import type { Chat } from './chat.ts'
import { type Command, commands } from './commands.ts'
import { answer } from './text.ts'

/** Commands that change something are not carried out when they are older than this: whoever sent them has given up. */
const staleMs = 300_000
const mostStrangers = 100

/** What the front of the bot works with. */
export interface FrontDeps {
  readonly bot: Bot
  readonly chats: ReadonlyMap<number, Chat>
  readonly buttons: Buttons
  readonly deps: ActionDeps
  readonly log: Logger
}

/** Listens to people: commands and buttons from allowed chats; everybody else is ignored and counted. */
export class Front {
  readonly #parts: FrontDeps
  readonly #strangers = new Set<number>()
  #ignored = 0

  constructor(parts: FrontDeps) {
    this.#parts = parts
    const { bot } = parts
    bot.use(async (context, next) => {
      if (this.#chatOf(context)) await next()
      else this.#ignore(context)
    })
    for (const command of commands) bot.command(command.name, (context) => this.#command(command, context))
    bot.command('start', (context) => this.#answer(context, async () => commands.at(-1)!.run([], parts.deps, '')))
    bot.on('callback_query:data', (context) => this.#press(context, context.callbackQuery.data))
    bot.on('message:text', (context) => this.#unknown(context))
  }

  /** How many updates came from chats that are not allowed. */
  get ignored(): number {
    return this.#ignored
  }

  #chatOf(context: Context): Chat | undefined {
    return context.chat && this.#parts.chats.get(context.chat.id)
  }

  /** Says once per chat in the log who was ignored, so that the owner of the bot can find the id to allow. */
  #ignore({ chat }: Context): void {
    this.#ignored++
    if (!chat || this.#strangers.has(chat.id) || this.#strangers.size >= mostStrangers) return
    this.#strangers.add(chat.id)
    this.#parts.log.info({ chat: chat.id }, 'a Telegram chat that is not in notices.telegram.chatIds is ignored')
  }

  async #command(command: Command, context: Context): Promise<void> {
    const { deps } = this.#parts
    const sentAt = (context.msg?.date ?? 0) * 1_000
    if (command.changes && deps.now() - sentAt > staleMs) {
      const when = deps.instant(sentAt, deps.now())
      await this.#say(context, `This was sent at ${when}, too long ago to be carried out now. Send it again.`)
      return
    }
    const args = String(context.match ?? '')
      .split(/\s+/)
      .filter((word) => word !== '')
    await this.#answer(context, () => command.run(args, deps, actorOf(context)))
  }

  async #answer(context: Context, run: () => ReturnType<Command['run']>): Promise<void> {
    try {
      const { text, actions } = await run()
      await this.#say(context, text, actions)
    } catch (error) {
      await this.#say(context, this.#excuse(error))
    }
  }

  async #press(context: Context, data: string): Promise<void> {
    const { buttons, deps } = this.#parts
    const chat = this.#chatOf(context)
    if (!chat || !context.chat) return
    const press = buttons.press(context.chat.id, data, {
      now: deps.now(),
      isOffered: (incident, action) => deps.notifier.offers(incident, action),
    })
    if (press.kind !== 'action') {
      await context.answerCallbackQuery({ text: answer(deadButton(press)), show_alert: true })
      return
    }
    try {
      // Telegram refuses the answer when the press is old: then nobody waits for it any more.
      await context.answerCallbackQuery()
    } catch (error) {
      press.putBack()
      throw error
    }
    await this.#answer(context, async () => {
      try {
        return { text: await carryOut(press.action, deps, actorOf(context)) }
      } catch (error) {
        press.putBack()
        throw error
      }
    })
  }

  /** Groups have other bots, whose commands are not ours to comment on. */
  async #unknown(context: Context): Promise<void> {
    const text = context.msg?.text ?? ''
    const isOurs = context.chat?.type === 'private' || text.split(/\s/)[0]?.endsWith(`@${context.me.username}`)
    if (text.startsWith('/') && isOurs) await this.#say(context, 'No such command. /help lists what there is.')
  }

  #excuse(error: unknown): string {
    const excuse = sentenceOf(error)
    if (excuse !== null) return excuse
    this.#parts.log.warn({ error }, 'a Telegram command failed')
    return 'It did not work; the log of spillway says why.'
  }

  async #say(context: Context, text: string, actions: readonly Action[] = []): Promise<void> {
    const replyTo = context.msg?.message_id
    try {
      await this.#chatOf(context)?.say(text, { actions, ...(replyTo === undefined ? {} : { replyTo }) })
    } catch (error) {
      this.#parts.log.warn(failure(error), 'an answer could not be sent to Telegram')
    }
  }
}

/** Who acts, as the audit log says it. Anonymous group admins act as their chat. */
function actorOf(context: Context): string {
  return `operator:telegram:${context.from?.id ?? context.chat?.id ?? 'unknown'}`
}

function deadButton(press: Exclude<ReturnType<Buttons['press']>, { kind: 'action' }>): string {
  switch (press.kind) {
    case 'unknown':
      return 'This button is no longer valid. /help lists the commands.'
    case 'expired':
      return `This button has expired. Send ${commandFor(press.action)} instead.`
    case 'over':
      return `That is over: nothing was done. To do it all the same, send ${commandFor(press.action)}`
    case 'used':
      return `This was done already. To do it again, send ${commandFor(press.action)}`
  }
}
