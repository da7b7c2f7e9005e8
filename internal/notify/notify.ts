/**
 * Tells people what happened: events become incidents, incidents become messages that are sent once, edited and closed.
 * The pipeline is pure; the outbox is durable; channels are ports (Telegram, webhook).
 */
export { isRoutine } from './incident/condition.ts'
export type { FailoverNotices } from './incident/loudness.ts'
export {
  type Channel,
  ChannelError,
  type Fault,
  type Notice,
  type Remark,
  type Remedy,
} from './incident/notice.ts'
export type { PoolNow } from './incident/sweep.ts'
export { createNotifier } from './notifier.ts'
export { signed } from './phrase/phrase.ts'
export { plain } from './phrase/words.ts'
export type { Notifier, NotifierDeps, OpenIncident } from './port.ts'
export type { Cost } from './rendering.ts'
export { createWebhook } from './webhook/webhook.ts'
