import type { Bot } from 'grammy'
import { type Clock, sleep, within } from '../clock/clock.ts'
import type { Logger } from '../log/log.ts'
import { codeOf, failure, pollSeconds, problemOf } from './api.ts'

type Update = Awaited<ReturnType<Bot['api']['getUpdates']>>[number]

/** What the poller works with. */
export interface PollerDeps {
  readonly bot: Bot
  readonly clock: Clock
  readonly log: Logger
  readonly stopping: AbortSignal
  /** Called before the first poll, each time the connection is set up. */
  readonly prepare: () => Promise<void>
  readonly handle: (update: Update) => Promise<void>
}

const retryMs = 1_000
const longestRetryMs = 60_000
const conflictMs = 30_000
const wrongTokenMs = 300_000
const handleMs = 30_000
const kinds = ['message', 'callback_query'] as const

/** Asks for updates until the process stops; failures make it wait, longer and longer, and are logged once per kind. */
export class Poller {
  readonly #parts: PollerDeps
  #offset = 0
  #failures = 0
  #lastProblem: string | null = null

  constructor(parts: PollerDeps) {
    this.#parts = parts
  }

  /** Resolves when the process stops; never rejects. */
  async run(): Promise<void> {
    const { stopping } = this.#parts
    let isReady = false
    while (!stopping.aborted) {
      try {
        if (!isReady) await this.#setUp()
        isReady = true
        await this.#round()
        this.#recovered()
      } catch (error) {
        if (stopping.aborted) return
        await sleep(this.#parts.clock, this.#delayAfter(error), stopping)
      }
    }
  }

  async #setUp(): Promise<void> {
    const { bot, prepare } = this.#parts
    bot.botInfo = await bot.api.getMe()
    // A webhook that somebody set earlier would keep all updates to itself.
    await bot.api.deleteWebhook()
    await prepare()
  }

  /**
   * One batch. It is confirmed to Telegram before anything in it is carried out: a crash in between loses a command, which
   * its sender notices, and never repeats one.
   */
  async #round(): Promise<void> {
    let batch = await this.#ask(this.#offset, pollSeconds)
    while (batch.length > 0) {
      const after = Math.max(...batch.map(({ update_id }) => update_id)) + 1
      const next = await this.#ask(after, 0)
      this.#offset = after
      for (const update of batch) await this.#handle(update)
      batch = next.filter(({ update_id }) => update_id >= after)
    }
  }

  #ask(offset: number, timeout: number): Promise<Update[]> {
    return this.#parts.bot.api.getUpdates({ offset, timeout, allowed_updates: kinds })
  }

  /** A command that hangs does not keep the next one from being heard. */
  async #handle(update: Update): Promise<void> {
    const { clock, log, handle } = this.#parts
    const handled = handle(update).catch((error: unknown) => log.warn(failure(error), 'a Telegram update failed'))
    await within(clock, handleMs, handled, undefined)
  }

  #delayAfter(error: unknown): number {
    const code = codeOf(error)
    const problem = code === 409 ? 'another process polls with the same bot token' : (problemOf(error) ?? String(error))
    if (problem !== this.#lastProblem)
      this.#parts.log.warn({ what: problem }, 'Telegram commands are not heard; it is tried again')
    this.#lastProblem = problem
    if (code === 409) return conflictMs
    if (code === 401 || code === 404) return wrongTokenMs
    return Math.min(retryMs * 2 ** this.#failures++, longestRetryMs)
  }

  #recovered(): void {
    if (this.#lastProblem !== null) this.#parts.log.info({}, 'Telegram commands are heard again')
    this.#lastProblem = null
    this.#failures = 0
  }
}
