import type { Bot } from 'grammy'
import type { Channel, Notice } from '../notify/notify.ts'
import { type Action, labelOf } from './action.ts'
import { apiSignal, channelError, isUnmodified } from './api.ts'
import type { Buttons, Key } from './buttons.ts'
import { message } from './text.ts'

const keysPerRow = 2

/** One chat that is told notices and may ask for things. */
export class Chat implements Channel {
  readonly name: string
  readonly kind = 'telegram'
  readonly mutable = true
  readonly #id: number
  readonly #bot: Bot
  readonly #buttons: Buttons
  readonly #now: () => number

  constructor(parts: { id: number; bot: Bot; buttons: Buttons; now: () => number }) {
    this.name = `telegram:${parts.id}`
    this.#id = parts.id
    this.#bot = parts.bot
    this.#buttons = parts.buttons
    this.#now = parts.now
  }

  async send(notice: Notice, signal: AbortSignal): Promise<{ messageId: string }> {
    const markup = this.#keyboard(notice.incident, notice.remedies)
    const sent = await told(
      this.#bot.api.sendMessage(this.#id, message(notice.text), { ...plainText, ...markup }, apiSignal(signal)),
    )
    return { messageId: String(sent.message_id) }
  }

  async edit(messageId: string, notice: Notice, signal: AbortSignal): Promise<void> {
    // Without a keyboard in the edit the old buttons would go, but explicitly is better: nothing is left to press.
    const markup = { reply_markup: { inline_keyboard: [] }, ...this.#keyboard(notice.incident, notice.remedies) }
    const other = { ...plainText, ...markup }
    try {
      await this.#bot.api.editMessageText(this.#id, Number(messageId), message(notice.text), other, apiSignal(signal))
    } catch (error) {
      if (!isUnmodified(error)) throw channelError(error)
    }
  }

  async reply(messageId: string, notice: Notice, signal: AbortSignal): Promise<void> {
    await this.say(notice.text, { replyTo: Number(messageId), signal })
  }

  /** Sends a text, in answer to a message if there is one (it may be gone), with buttons if there are actions. */
  async say(
    text: string,
    { replyTo, actions = [], signal }: { replyTo?: number; actions?: readonly Action[]; signal?: AbortSignal } = {},
  ): Promise<void> {
    const other = {
      ...plainText,
      ...this.#keyboard(`reply ${replyTo}`, actions),
      ...(replyTo === undefined
        ? {}
        : { reply_parameters: { message_id: replyTo, allow_sending_without_reply: true } }),
    }
    await told(this.#bot.api.sendMessage(this.#id, message(text), other, signal && apiSignal(signal)))
  }

  #keyboard(purpose: string, actions: readonly Action[]): { reply_markup?: { inline_keyboard: Key[][] } } {
    if (actions.length === 0) return {}
    const keys = actions.map((action) => ({
      text: labelOf(action),
      callback_data: this.#buttons.data(this.#id, purpose, action, this.#now()),
    }))
    const rows = Array.from({ length: Math.ceil(keys.length / keysPerRow) }, (_, row) =>
      keys.slice(row * keysPerRow, (row + 1) * keysPerRow),
    )
    return { reply_markup: { inline_keyboard: rows } }
  }
}

/** No parse_mode: what looks like markup in a name or an upstream's message is shown as it is. Links show no preview. */
const plainText = { link_preview_options: { is_disabled: true } } as const

async function told<T>(call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch (error) {
    throw channelError(error)
  }
}
