import type { Bot } from 'grammy'
import { type Channel, type Notice, type Remark, signed } from '../notify/notify.ts'
import { type Action, labelOf } from './action.ts'
import { apiSignal, channelError, isUnmodified } from './api.ts'
import type { Buttons, Key, Purpose } from './buttons.ts'
import { codeIn, message } from './text.ts'

const keysPerRow = 2

/** How a text is sent. */
interface Sending {
  readonly command?: string | null
  readonly isSilent?: boolean
  readonly replyTo?: number
  readonly purpose?: Purpose
  readonly actions?: readonly Action[]
  readonly signal?: AbortSignal
}

/** One chat that is told notices and may ask for things. */
export class Chat implements Channel {
  readonly name: string
  readonly kind = 'telegram'
  readonly mutable = true
  readonly id: number
  readonly #bot: Bot
  readonly #buttons: Buttons
  readonly #now: () => number

  constructor(parts: { id: number; bot: Bot; buttons: Buttons; now: () => number }) {
    this.name = `telegram:${parts.id}`
    this.id = parts.id
    this.#bot = parts.bot
    this.#buttons = parts.buttons
    this.#now = parts.now
  }

  async send({ text, command, host, isSilent, incident, remedies }: Notice, signal: AbortSignal) {
    const purpose = { incident }
    const messageId = await this.say(signed(text, host), { command, isSilent, purpose, actions: remedies, signal })
    return { messageId: String(messageId) }
  }

  async edit(messageId: string, notice: Notice, signal: AbortSignal): Promise<void> {
    const text = message(signed(notice.text, notice.host))
    const keys = this.#keyboard({ incident: notice.incident }, notice.remedies)
    // Without a keyboard in the edit the old buttons would go, but explicitly is better: nothing is left to press.
    const markup = { reply_markup: { inline_keyboard: [] }, ...keys }
    const other = { ...plainText, ...codeIn(text, notice.command), ...markup }
    try {
      await this.#bot.api.editMessageText(this.id, Number(messageId), text, other, apiSignal(signal))
    } catch (error) {
      if (!isUnmodified(error)) throw channelError(error)
    }
  }

  async reply(messageId: string, { text, host, isSilent, command }: Notice, signal: AbortSignal): Promise<void> {
    await this.say(signed(text, host), { replyTo: Number(messageId), isSilent, command, signal })
  }

  async remark({ text, host, command, isSilent }: Remark, signal: AbortSignal): Promise<void> {
    await this.say(signed(text, host), { isSilent, command, signal })
  }

  /** Sends a text, in answer to a message if there is one (it may be gone), with buttons if there are actions; returns the message's id. */
  async say(text: string, sending: Sending = {}): Promise<number> {
    const { replyTo, purpose = { replyTo: replyTo ?? null }, actions = [], signal } = sending
    const shown = message(text)
    const other = {
      ...plainText,
      ...codeIn(shown, sending.command ?? null),
      ...(sending.isSilent ? { disable_notification: true } : {}),
      ...this.#keyboard(purpose, actions),
      ...(replyTo === undefined
        ? {}
        : { reply_parameters: { message_id: replyTo, allow_sending_without_reply: true } }),
    }
    try {
      const sent = await this.#bot.api.sendMessage(this.id, shown, other, signal && apiSignal(signal))
      return sent.message_id
    } catch (error) {
      throw channelError(error)
    }
  }

  #keyboard(purpose: Purpose, actions: readonly Action[]): { reply_markup?: { inline_keyboard: Key[][] } } {
    if (actions.length === 0) return {}
    const keys = actions.map((action) => ({
      text: labelOf(action),
      callback_data: this.#buttons.data(this.id, purpose, action, this.#now()),
    }))
    const rows = Array.from({ length: Math.ceil(keys.length / keysPerRow) }, (_, row) =>
      keys.slice(row * keysPerRow, (row + 1) * keysPerRow),
    )
    return { reply_markup: { inline_keyboard: rows } }
  }
}

/** No parse_mode: what looks like markup in a name or an upstream's message is shown as it is. Links show no preview. */
const plainText = { link_preview_options: { is_disabled: true } } as const
