import { Bot, BotError, GrammyError, HttpError } from 'grammy'
import type { Clock } from '../clock/clock.ts'
import { ChannelError, type Fault } from '../notify/notify.ts'

/** How long the API may hold a poll open, in seconds. */
export const pollSeconds = 30

const deadlineMs = 10_000
const pollDeadlineMs = (pollSeconds + 10) * 1_000
/** A wrong token is mended by a person; until then there is no use in hurrying. */
const wrongTokenMs = 300_000

type ApiSignal = NonNullable<Parameters<Bot['api']['getMe']>[0]>

/** Node's own signal as grammY's types want it; at run time it only listens for `abort`. */
export function apiSignal(signal: AbortSignal): ApiSignal {
  return signal as ApiSignal
}

/** Where the bot's calls go, and what ends them. */
export interface ApiDeps {
  readonly token: { reveal(): string }
  readonly apiRoot: string
  readonly clock: Clock
  readonly stopping: AbortSignal
  /** Calls the API; grammY's own when absent. */
  readonly fetch?: typeof fetch
}

/** A grammY bot whose calls all have a deadline; those that bring no signal of their own end when the bot stops. */
export function createBot({ token, apiRoot, clock, stopping, fetch }: ApiDeps): Bot {
  const through = fetch === undefined ? {} : { fetch: withNodesSignal(fetch) as never }
  const bot = new Bot(token.reveal(), { client: { apiRoot: apiRoot.replace(/\/+$/, ''), ...through } })
  bot.api.config.use(async (call, method, payload, signal) => {
    const ending = new AbortController()
    const end = () => ending.abort()
    const cancel = clock.after(method === 'getUpdates' ? pollDeadlineMs : deadlineMs, end)
    const source = signal ?? apiSignal(stopping)
    if (source.aborted) end()
    source.addEventListener('abort', end)
    try {
      return await call(method, payload, apiSignal(ending.signal))
    } finally {
      cancel()
      source.removeEventListener('abort', end)
    }
  })
  return bot
}

/** The same fetch for grammY, whose signals come from a package of their own, which others do not take for signals. */
function withNodesSignal(call: typeof fetch): typeof fetch {
  return (input, init) => {
    const { signal, method, headers, body } = init ?? {}
    const ending = new AbortController()
    if (signal?.aborted) ending.abort()
    signal?.addEventListener('abort', () => ending.abort())
    return call(input, { ...given({ method, headers, body }), signal: ending.signal })
  }
}

function given(fields: { method: unknown; headers: unknown; body: unknown }): RequestInit {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

/**
 * What went wrong with a call, for a log or an operator; null when the error is not Telegram's. The cause of a network
 * error stays out: it shows the address, which holds the token.
 */
export function problemOf(error: unknown): string | null {
  if (error instanceof BotError) return problemOf(error.error)
  if (error instanceof ChannelError) return error.message
  if (error instanceof HttpError) return 'Telegram cannot be reached'
  if (!(error instanceof GrammyError)) return null
  const moved = error.parameters.migrate_to_chat_id
  const hint = moved === undefined ? '' : `; the chat has moved to ${moved}`
  return `Telegram answered ${error.error_code}: ${error.description}${hint}`
}

/** A failure as fields of a log line. */
export function failure(error: unknown): { what: string } | { error: unknown } {
  const what = problemOf(error)
  return what === null ? { error } : { what }
}

/** The HTTP-like code of the API's answer; null when there was none. */
export function codeOf(error: unknown): number | null {
  return error instanceof GrammyError ? error.error_code : null
}

/** Whether an edit was refused because the message says just that already. */
export function isUnmodified(error: unknown): boolean {
  return error instanceof GrammyError && error.description.includes('message is not modified')
}

/** The error as the outbox understands it. */
export function channelError(error: unknown): ChannelError {
  return new ChannelError(problemOf(error) ?? 'Telegram cannot be reached', faultOf(error))
}

function faultOf(error: unknown): Fault {
  if (!(error instanceof GrammyError)) return { kind: 'transient' }
  const { error_code: code, parameters } = error
  if (parameters.retry_after !== undefined) return { kind: 'retry-after', afterMs: parameters.retry_after * 1_000 }
  if (code === 401 || code === 404) return { kind: 'retry-after', afterMs: wrongTokenMs }
  return { kind: code === 429 || code >= 500 ? 'transient' : 'permanent' }
}
