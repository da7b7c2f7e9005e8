/**
 * Tells people what happened: events become incidents, incidents become messages that are sent once, edited and closed.
 * The pipeline is pure; the outbox is durable; channels are ports (Telegram, webhook).
 */
export {
  type Channel,
  ChannelError,
  type Fault,
  type Notice,
  type Remedy,
} from './incident/notice.ts'
export type { PoolNow } from './incident/sweep.ts'
export { createNotifier, type Notifier, type NotifierDeps } from './notifier.ts'
export { plain, type Wall, wallClock } from './phrase/words.ts'
export { createWebhook } from './webhook/webhook.ts'
