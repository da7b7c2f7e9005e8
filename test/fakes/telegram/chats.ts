/**
 * The chats of the Bot API fake: what the bot's calls make of messages, buttons and menus, and what Telegram refuses.
 */

interface Button {
  readonly text: string
  readonly data: string
}

/** A message as it stands in a chat now. */
export interface ShownMessage {
  readonly id: number
  readonly chat: number
  text: string
  /** All texts that it has had, the present one last. */
  readonly texts: string[]
  readonly replyTo: number | null
  buttons: Button[]
  /** What the bot asked to be parsed as markup; plain text has none. */
  readonly parseMode: string | null
  /** Nobody's phone made a sound. */
  readonly isSilent: boolean
  /** The parts that are shown as code. */
  codes: string[]
}

/** One answer to a pressed button: a short text over the chat, or an alert. */
export interface ButtonAnswer {
  readonly query: string
  readonly text: string
  readonly alert: boolean
}

/** The bot's own account. */
export const bot = { id: 4_200, is_bot: true, first_name: 'Spillway', username: 'spillway_bot' }

/** All chats of one bot. */
export class TelegramChats {
  readonly messages: ShownMessage[] = []
  readonly answers: ButtonAnswer[] = []
  /** The menus that the bot has set, by chat id or `default`. */
  readonly menus = new Map<string, readonly { command: string; description: string }[]>()
  readonly #chats: readonly number[] | null
  readonly #now: () => number
  readonly #queries = new Set<string>()
  #lastId = 0

  constructor(chats: readonly number[] | null, now: () => number) {
    this.#chats = chats
    this.#now = now
  }

  /** A number that was not given out before, for messages, updates and queries. */
  nextId(): number {
    return ++this.#lastId
  }

  /** A query of a pressed button that the bot may answer once. */
  openQuery(): string {
    const query = `query-${this.nextId()}`
    this.#queries.add(query)
    return query
  }

  /** A message's surroundings as the API tells them. */
  envelope(id: number, chat: number): object {
    const kind = chat < 0 ? { type: 'supergroup', title: 'Operators' } : { type: 'private', first_name: 'Ann' }
    return { message_id: id, date: Math.floor(this.#now() / 1_000), chat: { id: chat, ...kind } }
  }

  /** What a method returns, or the text of its refusal. */
  call(method: string, payload: Record<string, unknown>): object | boolean | string {
    switch (method) {
      case 'getMe':
        return { ...bot, can_join_groups: true, can_read_all_group_messages: false, supports_inline_queries: false }
      case 'deleteWebhook':
        return true
      case 'setMyCommands':
        return this.#setMenu(payload)
      case 'getChat':
        return this.#getChat(Number(payload.chat_id))
      case 'sendMessage':
        return this.#send(payload)
      case 'editMessageText':
        return this.#edit(payload)
      case 'answerCallbackQuery':
        return this.#answerQuery(payload)
      default:
        return `method ${method} is not part of this fake`
    }
  }

  #getChat(chat: number): object | string {
    if (this.#chats && !this.#chats.includes(chat)) return 'chat not found'
    return { id: chat, type: 'private', first_name: 'Ann' }
  }

  #setMenu({ commands, scope }: Record<string, unknown>): boolean {
    const { chat_id: chat } = (scope ?? {}) as { chat_id?: number }
    this.menus.set(String(chat ?? 'default'), commands as { command: string; description: string }[])
    return true
  }

  #send(payload: Record<string, unknown>): object | string {
    const chat = Number(payload.chat_id)
    const text = String(payload.text ?? '')
    const buttons = buttonsOf(payload)
    if (this.#chats && !this.#chats.includes(chat)) return 'chat not found'
    const flaw = flawOf(text, buttons)
    if (flaw) return flaw
    const reply = payload.reply_parameters as { message_id: number; allow_sending_without_reply?: boolean } | undefined
    const exists = reply && this.#exists(chat, reply.message_id)
    if (reply && !exists && !reply.allow_sending_without_reply) return 'message to be replied not found'
    const message: ShownMessage = {
      id: this.nextId(),
      chat,
      text,
      texts: [text],
      replyTo: exists ? reply.message_id : null,
      buttons,
      parseMode: payload.parse_mode === undefined ? null : String(payload.parse_mode),
      isSilent: payload.disable_notification === true,
      codes: codesOf(text, payload),
    }
    this.messages.push(message)
    return { ...this.envelope(message.id, chat), from: bot, text }
  }

  /** Ids of people's messages are not kept, so every id that was given out and is not a message of the bot counts as one of theirs. */
  #exists(chat: number, id: number): boolean {
    const message = this.messages.find((one) => one.id === id)
    return message ? message.chat === chat : id > 0 && id <= this.#lastId
  }

  #edit(payload: Record<string, unknown>): object | string {
    const message = this.messages.find(({ id, chat }) => id === payload.message_id && chat === Number(payload.chat_id))
    if (!message) return 'message to edit not found'
    const text = String(payload.text ?? '')
    const buttons = buttonsOf(payload)
    const flaw = flawOf(text, buttons)
    if (flaw) return flaw
    if (text === message.text && JSON.stringify(buttons) === JSON.stringify(message.buttons))
      return 'message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message'
    message.text = text
    message.texts.push(text)
    message.buttons = buttons
    message.codes = codesOf(text, payload)
    return { ...this.envelope(message.id, message.chat), from: bot, text }
  }

  #answerQuery(payload: Record<string, unknown>): boolean | string {
    const query = String(payload.callback_query_id)
    const text = String(payload.text ?? '')
    if (!this.#queries.delete(query)) return 'query is too old and response timeout expired or query ID is invalid'
    if (text.length > 200) return 'MESSAGE_TOO_LONG'
    this.answers.push({ query, text, alert: payload.show_alert === true })
    return true
  }
}

function buttonsOf({ reply_markup: markup }: Record<string, unknown>): Button[] {
  const { inline_keyboard: rows = [] } = (markup ?? {}) as {
    inline_keyboard?: { text: string; callback_data: string }[][]
  }
  return rows.flat().map(({ text, callback_data }) => ({ text, data: callback_data }))
}

/** What is shown as code; an entity outside of the text would be refused. */
function codesOf(text: string, { entities }: Record<string, unknown>): string[] {
  const all = (entities ?? []) as { type: string; offset: number; length: number }[]
  return all.filter(({ type }) => type === 'code').map(({ offset, length }) => text.slice(offset, offset + length))
}

function flawOf(text: string, buttons: readonly Button[]): string | null {
  if (text.trim() === '') return 'message text is empty'
  if (text.length > 4_096) return 'message is too long'
  return buttons.some(({ data }) => Buffer.byteLength(data) > 64 || data === '') ? 'BUTTON_DATA_INVALID' : null
}
