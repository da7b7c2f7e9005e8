/**
 * Telegram's Bot API over HTTP, as far as spillway uses it: messages as a person sees them, updates that a person causes,
 * failures on demand. Refuses what the real one refuses.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type ButtonAnswer, bot, type ShownMessage, TelegramChats } from './chats.ts'

export type { ShownMessage } from './chats.ts'

/** How a call fails: with an answer of the API, by never answering, or by a broken connection. */
export type Failure =
  | { readonly status: number; readonly description?: string; readonly retryAfter?: number }
  | 'hang'
  | 'reset'

interface Call {
  readonly method: string
  readonly payload: Readonly<Record<string, unknown>>
}

interface Person {
  readonly id: number
  readonly first_name: string
}

interface Poll {
  readonly offset: number
  readonly response: ServerResponse
  readonly timer: NodeJS.Timeout
}

interface Script {
  readonly method: string
  readonly failure: Failure
  left: number
}
const nobody: Person = { id: 7, first_name: 'Ann' }

/** How a fake differs from the usual one. */
export interface TelegramFakeOptions {
  /** The bot's token; another one is refused with 401. */
  readonly token?: string
  /** Chats that the bot may write to; all when absent. */
  readonly chats?: readonly number[]
  /** The time of messages that people send, in ms since 1970. */
  readonly now?: () => number
}

/** A Bot API on 127.0.0.1, with people who write to the bot and press its buttons. */
export class TelegramFake {
  readonly token: string
  readonly calls: Call[] = []
  readonly #chats: TelegramChats
  readonly #updates: { update_id: number }[] = []
  readonly #scripts: Script[] = []
  readonly #watchers = new Set<() => void>()
  #server: Server | null = null
  #port = 0
  #poll: Poll | null = null

  constructor({ token = '4200:canary-bot-token', chats, now = Date.now }: TelegramFakeOptions = {}) {
    this.token = token
    this.#chats = new TelegramChats(chats ?? null, now)
  }

  static async open(options: TelegramFakeOptions = {}): Promise<TelegramFake> {
    const fake = new TelegramFake(options)
    await fake.open()
    return fake
  }

  /** What goes into `notices.telegram.apiRoot`. */
  get apiRoot(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** Listens, after `close` on the same port again. */
  async open(): Promise<void> {
    const server = createServer((request, response) => void this.#serve(request, response))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.#port, '127.0.0.1', resolve)
    })
    this.#server = server
    this.#port = (server.address() as AddressInfo).port
  }

  /** Refuses connections from now on, and breaks those that exist. */
  async close(): Promise<void> {
    const server = this.#server
    this.#server = null
    if (this.#poll) clearTimeout(this.#poll.timer)
    this.#poll = null
    if (!server) return
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  }

  /** The next `times` calls of the method fail; `*` is any method but getUpdates. */
  fail(method: string, failure: Failure, times = Number.POSITIVE_INFINITY): void {
    this.#scripts.push({ method, failure, left: times })
  }

  /** Ends all failures that were asked for. */
  heal(): void {
    this.#scripts.length = 0
  }

  /** Somebody writes a message to the bot; returns its id. */
  say(chat: number, text: string, from: Person = nobody): number {
    const id = this.#chats.nextId()
    const length = /^\/\S+/.exec(text)?.[0].length
    this.#update({
      message: {
        ...this.#chats.envelope(id, chat),
        from: { ...from, is_bot: false },
        text,
        ...(length ? { entities: [{ type: 'bot_command', offset: 0, length }] } : {}),
      },
    })
    return id
  }

  /** Somebody presses a button of a message, by its label; returns the id of the query. `chat` may differ from the message's, as a forger would have it. */
  press(message: ShownMessage, label: string, { chat = message.chat, from = nobody } = {}): string {
    const button = message.buttons.find(({ text }) => text === label)
    if (!button) throw new Error(`no button ${label}; there are: ${message.buttons.map(({ text }) => text).join(', ')}`)
    return this.pressRaw(button.data, chat, message.id, from)
  }

  /** A press with any data. */
  pressRaw(data: string, chat: number, messageId = 1, from: Person = nobody): string {
    const id = this.#chats.openQuery()
    const message = { ...this.#chats.envelope(messageId, chat), from: bot, text: 'with buttons' }
    this.#update({ callback_query: { id, from: { ...from, is_bot: false }, chat_instance: '1', data, message } })
    return id
  }

  /** The bot's messages as they stand now, oldest first. */
  get messages(): readonly ShownMessage[] {
    return this.#chats.messages
  }

  /** What people read after they pressed a button. */
  get answers(): readonly ButtonAnswer[] {
    return this.#chats.answers
  }

  /** The menus that the bot has set, by chat id or `default`. */
  get menus(): TelegramChats['menus'] {
    return this.#chats.menus
  }

  /** The bot's messages in one chat, oldest first. */
  shown(chat: number): readonly ShownMessage[] {
    return this.messages.filter((message) => message.chat === chat)
  }

  /** How many of the bot's messages in one chat made a sound; edits make none. */
  buzzes(chat: number): number {
    return this.shown(chat).filter(({ isSilent }) => !isSilent).length
  }

  callsOf(method: string): readonly Call[] {
    return this.calls.filter((call) => call.method === method)
  }

  /** Resolves when the condition holds after some call; rejects after `deadlineMs` of real time. */
  until(holds: () => boolean, deadlineMs = 10_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = () => {
        if (!holds()) return
        clearTimeout(timer)
        this.#watchers.delete(check)
        resolve()
      }
      const timer = setTimeout(() => {
        this.#watchers.delete(check)
        reject(new Error(`it did not come to that within ${deadlineMs} ms: ${holds}`))
      }, deadlineMs)
      this.#watchers.add(check)
      check()
    })
  }

  #update(content: object): void {
    this.#updates.push({ update_id: this.#chats.nextId(), ...content })
    this.#answerPoll()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const [, token, method = ''] = /^\/bot([^/]*)\/(\w+)$/.exec(request.url ?? '') ?? []
    const body = Buffer.concat(chunks).toString()
    const payload: Record<string, unknown> = body === '' ? {} : JSON.parse(body)
    this.calls.push({ method, payload })
    if (token !== this.token) answer(response, 401, 'Unauthorized')
    else if (!this.#fails(method, response)) this.#act(method, payload, response)
    for (const watcher of [...this.#watchers]) watcher()
  }

  #fails(method: string, response: ServerResponse): boolean {
    const script = this.#scripts.find(
      (one) => one.left > 0 && (one.method === method || (one.method === '*' && method !== 'getUpdates')),
    )
    if (!script) return false
    script.left--
    const { failure } = script
    if (failure === 'reset') response.destroy()
    else if (failure !== 'hang') answer(response, failure.status, failure.description ?? 'scripted', failure.retryAfter)
    return true
  }

  #act(method: string, payload: Record<string, unknown>, response: ServerResponse): void {
    if (method === 'getUpdates') {
      this.#hold(payload, response)
      return
    }
    const result = this.#chats.call(method, payload)
    if (typeof result === 'string') answer(response, 400, `Bad Request: ${result}`)
    else respond(response, 200, { ok: true, result })
  }

  #hold(payload: Record<string, unknown>, response: ServerResponse): void {
    if (this.#poll) {
      clearTimeout(this.#poll.timer)
      answer(
        this.#poll.response,
        409,
        'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running',
      )
    }
    const offset = Number(payload.offset ?? 0)
    const confirmed = this.#updates.filter(({ update_id }) => update_id < offset).length
    this.#updates.splice(0, confirmed)
    const timer = setTimeout(() => this.#answerPoll(true), Number(payload.timeout ?? 0) * 1_000)
    const poll = { offset, response, timer }
    this.#poll = poll
    response.on('close', () => {
      clearTimeout(timer)
      if (this.#poll === poll) this.#poll = null
    })
    this.#answerPoll()
  }

  #answerPoll(now = false): void {
    const poll = this.#poll
    if (!poll || (this.#updates.length === 0 && !now)) return
    this.#poll = null
    clearTimeout(poll.timer)
    respond(poll.response, 200, { ok: true, result: this.#updates.slice(0, 100) })
  }
}

function answer(response: ServerResponse, status: number, description: string, retryAfter?: number): void {
  const parameters = retryAfter === undefined ? {} : { parameters: { retry_after: retryAfter } }
  respond(response, status, { ok: false, error_code: status, description, ...parameters })
}

function respond(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
