import type { Installation } from '../fakes/rig/installation.ts'
import { answer } from '../fakes/upstream/upstream.ts'

/** The refusal of a key that has reached its limit for so many seconds. */
export function limited(seconds: number) {
  const error = { message: 'Rate limit reached', type: 'requests', code: 'rate_limit_exceeded' }
  return answer(429, { 'retry-after': String(seconds) }, { error })
}

/** An ordinary answer. */
export const well = answer(200, {}, { id: 'chatcmpl_1', object: 'chat.completion', model: 'gpt-5', choices: [] })

const revoked = answer(401, {}, { error: { message: 'Incorrect API key provided', code: 'invalid_api_key' } })

function windows(fiveHours: number, week: number) {
  const now = Math.floor(Date.now() / 1_000)
  return answer(
    200,
    {
      'anthropic-ratelimit-unified-5h-utilization': String(fiveHours),
      'anthropic-ratelimit-unified-5h-reset': String(now + 7_400),
      'anthropic-ratelimit-unified-7d-utilization': String(week),
      'anthropic-ratelimit-unified-7d-reset': String(now + 300_000),
    },
    { id: 'msg_1', type: 'message', role: 'assistant', content: [{ type: 'text', text: 'hello' }] },
  )
}

/** Three pools on an ordinary day: one serves with a limited and a revoked member, one is exhausted, one is well. */
export async function ordinaryDay(spillway: Installation): Promise<void> {
  const { upstream, ops } = spillway
  await spillway.pool('claude', ['max', 'team', 'spare'], { provider: 'anthropic' })
  await spillway.pool('openai', ['work', 'personal', 'backup', 'old'])
  await spillway.pool('crawl', ['crawl-1', 'crawl-2'])
  await claudeDay(spillway)
  for (let n = 0; n < 14; n++) await spillway.ask('openai')
  upstream.on('sk-old').always(revoked)
  await ops.poolRotate({ name: 'openai', to: 'old' })
  await ops.poolUnpark({ name: 'openai', member: 'work' })
  await spillway.ask('openai')
  upstream.on('sk-work').always(limited(1_260))
  await ops.poolRotate({ name: 'openai', to: 'work' }).catch(() => null)
  for (let n = 0; n < 4; n++) await spillway.ask('openai')
  await ops.poolPark({ name: 'openai', member: 'backup', forMs: 3_600_000 })
  upstream.on('sk-crawl-1').always(limited(480))
  upstream.on('sk-crawl-2').always(limited(2_900))
  for (let n = 0; n < 9; n++) await spillway.ask('crawl')
}

async function claudeDay(spillway: Installation): Promise<void> {
  const { upstream, ops } = spillway
  const ask = () =>
    spillway.send('/claude/v1/messages', {
      method: 'POST',
      headers: { 'x-api-key': spillway.key, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'claude-sonnet', max_tokens: 1, messages: [] }),
    })
  for (const [member, five, week] of [
    ['max', 0.41, 0.63],
    ['team', 0.97, 0.8],
    ['spare', 0.06, 0.12],
  ] as const) {
    upstream.on(`sk-${member}`).always(windows(five, week))
    if (member !== 'max') {
      await ops.poolRotate({ name: 'claude', to: member })
    }
    for (let n = 0; n < 3; n++) await ask()
  }
  await ops.poolRotate({ name: 'claude', to: 'max' }).catch(() => null)
  for (const member of ['max', 'team', 'spare']) await ops.poolUnpark({ name: 'claude', member })
  await ask()
}
