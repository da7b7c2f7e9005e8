import { request } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Program, type Served } from '../fakes/rig/program.ts'
import { answer, type FakeUpstream, fakeUpstream } from '../fakes/upstream/upstream.ts'

const rounds = process.env.SPILLWAY_FULL === '1' ? 200 : 20
const members = ['a', 'b', 'c', 'd', 'e']
const limited = answer(429, { 'retry-after': '3600' }, { error: { message: 'slow', code: 'rate_limit_exceeded' } })

/** What the event stream tells, and what a row of the audit log shows. */
interface Event {
  readonly seq: number
  readonly kind: string
  readonly from: string | null
  readonly to: string | null
  readonly detail: { readonly until?: number | null }
}

let program: Program
let upstream: FakeUpstream
let served: Served
let key: string

beforeEach(async () => {
  program = new Program()
  upstream = await fakeUpstream()
  served = await program.serve({ SPILLWAY_POOLS_MAX_WAIT_MS: '0' })
  key = (await program.ops.keyCreate({ name: 'load' })).key
  for (const name of members) {
    await program.ops.credAdd({ name, provider: 'openai', source: { kind: 'vault', secret: `sk-${name}` } })
  }
  await program.ops.poolCreate({ name: 'openai', provider: 'openai', members, upstream: upstream.url })
})

afterEach(async () => {
  program.close()
  await upstream.close()
})

async function kill(): Promise<void> {
  served.process.kill('SIGKILL')
  await served.ended
}

async function start(env: Record<string, string> = {}): Promise<void> {
  served = await program.serve({ SPILLWAY_POOLS_MAX_WAIT_MS: '0', ...env })
}

function ask(): Promise<number> {
  const init = { method: 'POST', headers: { authorization: `Bearer ${key}` }, body: '{}' }
  return fetch(`${served.origin}/openai/v1/chat/completions`, init).then(async (response) => {
    await response.text()
    return response.status
  })
}

/** Collects what the daemon announces, until it dies. */
function announcements(): Promise<Event[]> & { readonly heard: Event[] } {
  const heard: Event[] = []
  const over = new Promise<Event[]>((resolve) => {
    let text = ''
    const stream = request({ socketPath: join(program.data, 'admin.sock'), path: '/v1/events' }, (response) => {
      response.on('data', (bytes: Buffer) => {
        text += bytes
        const parts = text.split('\n\n')
        text = parts.pop() ?? ''
        for (const part of parts) {
          const data = /^data: (.*)$/m.exec(part)?.[1]
          if (data) heard.push(JSON.parse(data))
        }
      })
      response.on('close', () => resolve(heard))
      response.on('error', () => {})
    })
    stream.on('error', () => resolve(heard)).end()
  })
  return Object.assign(over, { heard })
}

const one = <T>(from: readonly T[]): T => from[Math.floor(Math.random() * from.length)] as T

/** Something that an agent or an operator does; what is refused is refused. */
async function anything(): Promise<void> {
  const name = 'openai'
  const member = one(members)
  const deeds = [
    () => program.ops.poolPark({ name, member, forMs: 3_600_000 }),
    () => program.ops.poolUnpark({ name, member }),
    () => program.ops.poolRotate({ name }),
    () => program.ops.poolClear({ name, member }),
    ask,
    async () => {
      upstream.on(`sk-${member}`).clear().once(limited)
      await ask()
    },
  ]
  await one(deeds)().catch(() => undefined)
}

/** Parks and cooldowns as the audit log tells them. */
function told(rows: readonly Event[]) {
  const parks = new Map<string, number | null>()
  const cooldowns = new Map<string, number>()
  for (const { kind, from, to, detail } of rows) {
    const until = detail.until ?? null
    if (kind === 'member_parked' && from) parks.set(from, until)
    if (kind === 'member_unparked' && from) parks.delete(from)
    if (kind === 'pool_rotated' && from && to) parks.set(from, until).delete(to)
    if (kind === 'cred_cooled' && from && until !== null) cooldowns.set(from, until)
    if (kind === 'member_cleared' && from) cooldowns.delete(from)
  }
  return { parks: Object.fromEntries(parks), cooldowns: Object.fromEntries(cooldowns) }
}

/** Parks and cooldowns as the daemon shows them. */
async function shown() {
  const status = await program.ops.poolStatus({ name: 'openai' })
  const at = (text: string | null) => (text === null ? null : Date.parse(text))
  const parked = status.members.flatMap(({ name, park }) => (park ? [[name, at(park.until)]] : []))
  const cooling = status.members.flatMap(({ name, health: { state, until } }) =>
    state === 'cooling' || state === 'probing' ? [[name, at(until)]] : [],
  )
  return { parks: Object.fromEntries(parked), cooldowns: Object.fromEntries(cooling) }
}

async function rows(): Promise<Event[]> {
  const all = await program.ops.auditExport({ limit: 10_000 })
  return all as unknown as Event[]
}

describe('F28: kill -9 of the daemon', () => {
  it(
    `at ${rounds} random moments leaves the state as the audit log tells it, and nothing announced is lost`,
    async () => {
      // Without a window each cooldown has its row, so that the log alone tells the state.
      const everyRow = { SPILLWAY_NOTICES_DEDUPE_MS: '0s' }
      await kill()
      await start(everyRow)
      for (let round = 0; round < rounds; round++) {
        const stream = announcements()
        let dead = false
        const death = new Promise<void>((resolve) => setTimeout(resolve, 10 + Math.random() * 250)).then(kill)
        void death.then(() => {
          dead = true
        })
        while (!dead) await anything()
        await death
        const announced = await stream
        await start(everyRow)
        const log = await rows()
        const bySeq = new Map(log.map((row) => [row.seq, row]))
        for (const event of announced) {
          expect(bySeq.get(event.seq)).toMatchObject({ kind: event.kind, from: event.from, to: event.to })
        }
        expect(await shown()).toEqual(told(log))
        expect(await program.ops.auditVerify({})).toMatchObject({ ok: true, rows: log.length })
      }
    },
    60_000 + rounds * 3_000,
  )

  it('right after a rotation keeps the member that was rotated to', async () => {
    await ask()
    const { to } = await program.ops.poolRotate({ name: 'openai' })
    await kill()
    await start()
    expect((await program.ops.poolStatus({ name: 'openai' })).active).toBe(to)
    upstream.forget()
    await ask()
    expect(upstream.served).toEqual([`sk-${to}`])
  })

  it('right after a failover and an exhaustion keeps them, and does not tell them again within the window', async () => {
    const { heard } = announcements()
    const announced = (kind: string) => expect.poll(() => heard.filter((event) => event.kind === kind)).toHaveLength(1)
    await ask()
    upstream.on('sk-a').always(limited)
    expect(await ask()).toBe(200)
    await announced('cred_failover')
    await kill()
    await start()
    expect((await program.ops.poolStatus({ name: 'openai' })).active).toBe('b')
    for (const name of members) upstream.on(`sk-${name}`).always(limited)
    const again = announcements()
    for (let i = 0; i < 3; i++) expect(await ask()).toBe(429)
    await expect.poll(() => again.heard.filter(({ kind }) => kind === 'pool_exhausted')).toHaveLength(1)
    await kill()
    await start()
    upstream.forget()
    for (let i = 0; i < 20; i++) expect(await ask()).toBe(429)
    expect(upstream.requests).toEqual([])
    expect(await program.ops.auditList({ kind: 'pool_exhausted' })).toHaveLength(1)
    expect(await program.ops.auditList({ kind: 'cred_failover' })).toHaveLength(1)
    expect((await program.ops.poolStatus({ name: 'openai' })).exhausted).toBe(true)
  })
})
