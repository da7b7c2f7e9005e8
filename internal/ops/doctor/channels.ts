import { isLoopback } from '../../net/net.ts'
import type { Call } from '../verb.ts'
import { reach } from './reach.ts'
import type { DoctorRow } from './row.ts'

/** Whether notices arrive: a row for each Telegram chat, and one for the webhook. Nothing is sent to anybody. */
export async function channelRows(call: Call, deadlineMs: number): Promise<DoctorRow[]> {
  const { telegram, webhook } = call.config().notices
  const chats = (await call.notices.check()).map(({ channel, problem }) => {
    const check = `notices ${channel}`
    if (problem === null) return { check, state: 'ok', message: 'the bot may write to this chat', hint: null } as const
    return { check, state: 'fail', message: problem, hint: hintFor(problem) } as const
  })
  const rows: DoctorRow[] = [...chats]
  if ((telegram.botTokenFile !== null || telegram.botTokenEnv !== null) && telegram.chatIds.length === 0)
    rows.push({
      check: 'notices telegram',
      state: 'warn',
      message: 'there is a bot, and no chat that it may write to',
      hint: 'write to the bot: the log names the chat that was ignored; put its number into notices.telegram.chatIds',
    })
  if (webhook.url !== null) rows.push(await webhookRow(webhook.url, { call, deadlineMs }))
  return rows
}

async function webhookRow(url: string, { call, deadlineMs }: { call: Call; deadlineMs: number }): Promise<DoctorRow> {
  const check = 'notices webhook'
  const found = await reach(url, { deadlineMs, clock: call.clock, outbound: call.outbound })
  if (!found.ok) return { check, state: 'fail', message: found.problem, hint: 'check notices.webhook.url' }
  const { webhook } = call.config().notices
  const isSigned = webhook.secretFile !== null || webhook.secretEnv !== null
  const { protocol, hostname } = new URL(url)
  if (protocol === 'http:' && !isLoopback(hostname))
    return { check, state: 'warn', message: `reached in ${found.ms} ms, without encryption`, hint: 'use https' }
  if (!isSigned)
    return {
      check,
      state: 'warn',
      message: `reached in ${found.ms} ms; its posts are not signed`,
      hint: 'anybody could post there in our name: set notices.webhook.secretFile',
    }
  return { check, state: 'ok', message: `reached in ${found.ms} ms`, hint: null }
}

function hintFor(problem: string): string {
  if (/answered 40[14]/.test(problem)) return 'the token is wrong: check notices.telegram.botTokenFile'
  if (/chat not found|chat_id/i.test(problem)) return 'write to the bot from that chat first, or check chatIds'
  return 'check the network, HTTPS_PROXY and notices.telegram.apiRoot'
}
