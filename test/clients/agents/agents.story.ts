/** Real agent programs through the built program, in front of fake upstreams on loopback. */
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Program } from '../../fakes/rig/program.ts'
import { askAdmin } from '../../fakes/rig/terminal.ts'
import { answer, type FakeUpstream, fakeUpstream } from '../../fakes/upstream/upstream.ts'
import { type WebSocketUpstream, webSocketUpstream } from '../../fakes/upstream/websocket-upstream.ts'
import type { Agent } from './agent.ts'
import { type Drove, drive } from './drive.ts'
import { installed } from './programs.ts'
import { aiSdk, claude, cline, codex, codexOnWebSocket, copilot, gemini, opencode, qwen } from './roster.ts'
import { callsTool, failsLate, refuses, says, turns } from './upstreams.ts'

/** On an idle machine each is done within 10 s. */
const deadlineMs = 120_000

// Where they cannot be installed, the stories fail: what is not driven is not known to work.
const folder = installed()
const greeting = 'Hello from the fake upstream.'
const usedUp = answer(
  429,
  { 'retry-after': '3600' },
  { error: { type: 'usage_limit_reached', code: 'usage_limit_reached', message: 'used up', resets_in_seconds: 3_600 } },
)
let spillway: Program
let origin = ''
let key = ''
let upstream: FakeUpstream
let sockets: WebSocketUpstream

beforeAll(async () => {
  spillway = new Program()
  upstream = await fakeUpstream()
  sockets = await webSocketUpstream()
  origin = (await spillway.serve({ SPILLWAY_POOLS_MAX_WAIT_MS: '0' })).origin
  key = (await spillway.ops.keyCreate({ name: 'agents' })).key
  for (const provider of ['openai', 'anthropic', 'gemini']) await pool(provider, provider, upstream.url)
  await pool('turns', 'openai', sockets.url)
})

afterEach(async () => {
  for (const name of ['openai', 'anthropic', 'gemini', 'turns']) {
    for (const member of [`${name}-a`, `${name}-b`]) {
      await spillway.ops.poolClear({ name, member })
      upstream.on(`sk-${member}`).clear()
    }
  }
  upstream.forget()
  sockets.seen.length = 0
})

afterAll(async () => {
  spillway.close()
  await Promise.all([upstream.close(), sockets.close()])
})

async function pool(name: string, provider: string, url: string): Promise<void> {
  const members = [`${name}-a`, `${name}-b`]
  for (const member of members) {
    await spillway.ops.credAdd({ name: member, provider, source: { kind: 'vault', secret: `sk-${member}` } })
  }
  // The first to serve is always the first in order: no story begins where another one ended.
  await spillway.ops.poolCreate({ name, provider, members, upstream: url, strategy: 'ordered' })
}

/** Runs the agent against a pool until it ends by itself. */
async function prompt(agent: Agent, name: string = agent.provider): Promise<Drove> {
  const drove = await drive(agent, { folder, base: `${origin}/${name}`, key }, deadlineMs)
  expect(
    drove.code,
    `${agent.name} ended with ${drove.code ?? 'nothing before its deadline'}:\n${drove.shown}`,
  ).not.toBe(null)
  return drove
}

const agents: readonly Agent[] = [claude, codex, gemini, opencode, qwen, cline, copilot, aiSdk]

describe.each(agents)('$name', (agent) => {
  const [a, b] = [`sk-${agent.provider}-a`, `sk-${agent.provider}-b`]

  it('is served in the same call when the first member is used up', async () => {
    upstream.on(a).always(usedUp)
    const { code, shown } = await prompt(agent)
    expect([code, shown]).toEqual([0, expect.stringContaining(greeting)])
    expect(upstream.served.filter((secret) => secret === a)).toHaveLength(1)
    expect(upstream.served.at(-1)).toBe(b)
  })

  const late = 'asks again and is served when the first member fails in the middle of its answer'
  if (agent.comesAgain)
    it(late, async () => {
      upstream.on(a).always(failsLate)
      const { code, shown } = await prompt(agent)
      expect([code, shown]).toEqual([0, expect.stringContaining(greeting)])
      expect(upstream.served[0]).toBe(a)
      expect(upstream.served.at(-1)).toBe(b)
    })

  it('stops at once when the pool is exhausted, and shows until when', async () => {
    for (const secret of [a, b]) upstream.on(secret).always(usedUp)
    const before = await refused(agent.provider)
    const { code, shown } = await prompt(agent)
    expect(shown.replace(/\s+/g, ' ')).toMatch(agent.shows)
    expect([(await refused(agent.provider)) - before, code]).toEqual([agent.requests, expect.any(Number)])
  })
})

describe('codex on a WebSocket', () => {
  it('is served when the first member refuses its second turn', async () => {
    sockets.on('sk-turns-a', turns(callsTool, refuses)).on('sk-turns-b', turns(says))
    const { code, shown } = await prompt(codexOnWebSocket, 'turns')
    expect([code, shown]).toEqual([0, expect.stringContaining(greeting)])
    expect(new Set(sockets.secrets)).toEqual(new Set(['sk-turns-a', 'sk-turns-b']))
  })

  it('stops at once when the pool is exhausted, and shows until when', async () => {
    for (const member of ['a', 'b']) sockets.on(`sk-turns-${member}`, turns(refuses))
    const { code, shown } = await prompt(codexOnWebSocket, 'turns')
    expect([code, shown.replace(/\s+/g, ' ')]).toEqual([1, expect.stringMatching(codexOnWebSocket.shows)])
    expect(sockets.secrets).toEqual(['sk-turns-a', 'sk-turns-b'])
    expect(await refused('turns')).toBe(1)
  })
})

/** How many requests to the pool were answered as exhausted. */
async function refused(name: string): Promise<number> {
  const { text } = await askAdmin({ socketPath: join(spillway.data, 'admin.sock'), path: '/metrics' })
  const count = new RegExp(`^spillway_requests_total\\{pool="${name}",outcome="exhausted"\\} (\\d+)`, 'm').exec(
    text,
  )?.[1]
  return Number(count ?? 0)
}
