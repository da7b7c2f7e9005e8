import { createHmac } from 'node:crypto'
import type { Clock } from '../../clock/clock.ts'
import { type Channel, ChannelError, type Fault, type Notice, type Remark } from '../incident/notice.ts'

const deadlineMs = 10_000
const mostPauseMs = 3_600_000

/** Where a webhook posts, and how it signs. */
export interface WebhookDeps {
  readonly url: string
  /** Signs the body; null sends it unsigned. */
  readonly secret: { reveal(): string } | null
  readonly clock: Clock
  /** Posts; the global one when absent. */
  readonly fetch?: typeof fetch
}

/**
 * A channel that posts each notice as JSON, its end once. `x-spillway-signature: sha256=<hex>` is the HMAC-SHA256 of the exact
 * body; the body's `sentAt` lets the receiver refuse old posts, and `id` is the same when a post comes twice.
 */
export function createWebhook(parts: WebhookDeps): Channel {
  const post = (notice: Notice, signal: AbortSignal) => deliver(parts, payload(notice, parts.clock.now()), signal)
  return {
    name: 'webhook',
    kind: 'webhook',
    mutable: false,
    async send(notice, signal) {
      await post(notice, signal)
      return { messageId: notice.incident }
    },
    async edit(_messageId, notice, signal) {
      // The time that passes is no news to a machine; the end is told by `reply`, or here when nothing ended it.
      if (notice.why !== 'lasting' && !notice.isRepeated) await post(notice, signal)
    },
    async reply(_messageId, notice, signal) {
      await post(notice, signal)
    },
    async remark(remark, signal) {
      await deliver(parts, remarkPayload(remark, parts.clock.now()), signal)
    },
  }
}

async function deliver(
  { url, secret, clock, ...parts }: WebhookDeps,
  content: object,
  signal: AbortSignal,
): Promise<void> {
  const post = parts.fetch ?? fetch
  const body = JSON.stringify(content)
  const deadline = new AbortController()
  const cancel = clock.after(deadlineMs, () => deadline.abort())
  try {
    const response = await post(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'spillway',
        ...(secret
          ? { 'x-spillway-signature': `sha256=${createHmac('sha256', secret.reveal()).update(body).digest('hex')}` }
          : {}),
      },
      body,
      redirect: 'manual',
      signal: AbortSignal.any([signal, deadline.signal]),
    })
    await response.body?.cancel()
    if (!response.ok) throw new ChannelError(`the webhook answered ${response.status}`, faultOf(response, clock.now()))
  } catch (error) {
    if (error instanceof ChannelError) throw error
    const why = deadline.signal.aborted ? `did not answer within ${deadlineMs} ms` : 'cannot be reached'
    throw new ChannelError(`the webhook ${why}`, { kind: 'transient' })
  } finally {
    cancel()
  }
}

function payload(notice: Notice, now: number): object {
  const { remedies: _offered, isRepeated: _told, openedAt, closedAt, isSilent, version, ...told } = notice
  return {
    id: `${notice.incident}#${version}`,
    ...told,
    silent: isSilent,
    openedAt: new Date(openedAt).toISOString(),
    closedAt: closedAt === null ? null : new Date(closedAt).toISOString(),
    sentAt: new Date(now).toISOString(),
  }
}

function remarkPayload({ about, isSilent, ...told }: Remark, now: number): object {
  return { id: `${about}@${now}`, kind: about, ...told, silent: isSilent, sentAt: new Date(now).toISOString() }
}

/** RFC 9110: 408, 429 and 5xx may pass, with the pause that Retry-After asks for; everything else stays as it is. */
function faultOf(response: Response, now: number): Fault {
  const { status } = response
  if (status !== 408 && status !== 429 && status < 500) return { kind: 'permanent' }
  const asked = response.headers.get('retry-after')
  if (asked === null) return { kind: 'transient' }
  const afterMs = /^\d+$/.test(asked) ? Number(asked) * 1_000 : Date.parse(asked) - now
  if (!Number.isFinite(afterMs) || afterMs <= 0) return { kind: 'transient' }
  return { kind: 'retry-after', afterMs: Math.min(afterMs, mostPauseMs) }
}
