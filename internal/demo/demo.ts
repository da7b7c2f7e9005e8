/**
 * The demo: the main job in under a minute, without an account. A fake upstream with three credentials, an agent, and an
 * operator who rotates; failover, parked fallback, exhaustion and recovery as they happen. It drives the program that it
 * is given through its command line, as a person would.
 */
import { Agent } from './agent.ts'
import { Page, paint, pause, type TakenScreen } from './print.ts'
import { type PoolView, Stage } from './stage.ts'
import { storm } from './storm.ts'
import { limited, Upstream } from './upstream.ts'

const secrets = { work: 'sk-demo-work', personal: 'sk-demo-personal', spare: 'sk-demo-spare' } as const
type Name = keyof typeof secrets

function memberText(member: PoolView['members'][number]): string {
  const { state, until } = member.health
  const left = until ? ` ${Math.max(0, Math.ceil((Date.parse(until) - Date.now()) / 1_000))}s` : ''
  const text = `${member.active ? '▶' : ' '} ${member.name.padEnd(8)} ${state}${left}${member.park ? ', parked' : ''}`
  return paint(state === 'healthy' ? (member.active ? ['bold', 'green'] : 'green') : 'yellow', text)
}

/** What the parts of the story work with. */
interface Cast {
  readonly page: Page
  readonly stage: Stage
  readonly upstream: Upstream
}

/** Shows the pool and what the agent has seen, again and again, for so long. */
async function watch({ page, stage }: Cast, agent: Agent, forMs: number): Promise<void> {
  for (const end = Date.now() + forMs; Date.now() < end; ) {
    const { members } = await stage.pool('openai')
    const { answers, errors } = agent.seen
    const lines = [...members.map(memberText), `  agent    ${answers} answers, ${errors.length} errors`]
    page.show(lines.map((line) => `  ${line}`))
    await pause(page.isLive ? 150 : 1_000)
  }
  page.keep()
}

async function act(page: Page, title: string, run: () => Promise<void>): Promise<void> {
  page.say(`\n${paint('bold', title)}`)
  await run()
}

async function play(cast: Cast): Promise<boolean> {
  const { page, stage, upstream } = cast
  const { key } = JSON.parse(await stage.run(['init', '--json'])) as { key: string }
  for (const [name, secret] of Object.entries(secrets)) {
    await stage.run(['cred', 'add', name, '--provider', 'openai', '--no-check', '--base-url', upstream.url], secret)
  }
  await stage.run(['pool', 'create', 'openai', '--provider', 'openai', '--members', 'work,personal,spare'])
  const origin = await stage.serve()
  const { agent, says } = await Agent.at(`${origin}/openai/v1`, key)
  const limit = (name: Name, seconds: number) => upstream.refuse(secrets[name], limited(seconds))
  agent.start(100)

  await act(page, `1. The agent (on ${says}) works; "work" serves.`, () => watch(cast, agent, 2_000))
  await act(page, '2. "work" hits its limit: the same request is served by the next member.', async () => {
    limit('work', 12)
    await watch(cast, agent, 3_000)
  })
  await act(page, '3. The operator rotates: "personal" is parked, but healthy; "spare" serves.', async () => {
    page.say(`  $ spillway pool rotate openai\n  ${(await stage.run(['pool', 'rotate', 'openai'])).trim()}`)
    await watch(cast, agent, 2_000)
  })
  await act(
    page,
    '4. "spare" hits its limit, too: the parked, healthy member serves, nobody fails over to itself.',
    async () => {
      limit('spare', 60)
      await watch(cast, agent, 3_000)
    },
  )
  const before = agent.seen.errors.length
  await act(page, '5. Every member is limited: the pool is exhausted, and says until when.', async () => {
    limit('personal', 60)
    limit('work', 5)
    await watch(cast, agent, 4_000)
  })
  const during = agent.seen.errors.length - before
  await act(page, '6. "work" recovers: one probe, one notice, and on it goes.', async () => {
    upstream.refuse(secrets.work, null)
    await watch(cast, agent, 12_000)
  })
  await agent.stop()
  return summary(cast, agent, { before, during, after: agent.seen.errors.length - before - during })
}

async function summary(
  { page, stage }: Cast,
  agent: Agent,
  errors: { before: number; during: number; after: number },
): Promise<boolean> {
  const { seen } = agent
  page.say(`\n${paint('bold', 'What the agent saw')}`)
  page.say(`  ${seen.answers} answers; the slowest took ${Math.round(seen.slowestMs)} ms`)
  page.say(`  errors before the pool was exhausted: ${errors.before}`)
  page.say(
    `  while it was exhausted: ${errors.during + errors.after}, each one sentence: ${seen.errors.at(-1) ?? '(none)'}`,
  )
  page.say(`\n${paint('bold', 'What the operator can read')} (spillway audit list)`)
  const rows = JSON.parse(await stage.run(['audit', 'list', '--since', '5m', '--json'])) as AuditRow[]
  for (const row of rows) page.say(`  ${auditText(row)}`)
  page.say(`  ${(await stage.run(['audit', 'verify'])).trim()}`)
  page.say('\nNext: spillway serve, with OPENAI_API_KEY set to one or more keys; then spillway connect codex')
  return errors.before === 0 && errors.during > 0
}

interface AuditRow {
  readonly at: string
  readonly kind: string
  readonly from: string | null
  readonly to: string | null
  readonly reason: string | null
}

/** `20:38:40  cred_failover     work → personal  rate-limited`, in 80 columns. */
function auditText({ at, kind, from, to, reason }: AuditRow): string {
  const whom = [from, to].filter((name) => name !== null).join(' → ')
  return [at.slice(11, 19), kind.padEnd(16), whom.padEnd(19), reason ?? ''].join('  ').trimEnd()
}

async function failover(page: Page, program: string): Promise<boolean> {
  const upstream = await Upstream.start()
  const stage = new Stage(program)
  try {
    return await play({ page, stage, upstream })
  } finally {
    await stage.close()
    await upstream.close()
  }
}

/**
 * Shows a story with the program whose main module is given, on a terminal that is taken over if there is one; resolves
 * with whether it went as it should.
 */
export async function showDemo(
  story: 'failover' | 'storm',
  program: string,
  takeOver: (() => TakenScreen) | null,
): Promise<boolean> {
  const page = new Page(process.stdout, takeOver)
  try {
    return await (story === 'storm' ? storm(page, program) : failover(page, program))
  } finally {
    page.close()
  }
}
