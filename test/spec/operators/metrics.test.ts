import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Installation, installation } from '../../fakes/rig/installation.ts'
import { askAdmin } from '../../fakes/rig/terminal.ts'
import { answer } from '../../fakes/upstream/upstream.ts'

const limited = answer(429, { 'retry-after': '90' }, { error: { message: 'slow', code: 'rate_limit_exceeded' } })

let spillway: Installation
let series: ReadonlyMap<string, number>
let types: ReadonlyMap<string, string>

/** The metrics of the running daemon: series with their labels as they are written, and the type of each name. */
async function scrape(): Promise<void> {
  const { status, headers, text } = await askAdmin({ socketPath: join(spillway.data, 'admin.sock'), path: '/metrics' })
  expect(status).toBe(200)
  expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/)
  const lines = text.split('\n')
  types = new Map(
    lines.flatMap((line) => [/^# TYPE (\S+) (\S+)/.exec(line)?.slice(1) ?? []]).map(([n, t]) => [n ?? '', t ?? '']),
  )
  series = new Map(
    lines
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  )
}

beforeAll(async () => {
  spillway = await installation({ config: { 'pools.maxWaitMs': '0' } })
  await spillway.pool('openai', ['a', 'b'])
  await spillway.pool('spare', ['c', 'd'])
  await spillway.ops.poolPark({ name: 'spare', member: 'd' })
  await spillway.ask()
  spillway.upstream.on('sk-a').once(limited)
  await spillway.ask()
  spillway.upstream.on('sk-b').once(limited)
  for (let i = 0; i < 5; i++) await spillway.ask()
  await spillway.daemon.core.engine.flush()
  await spillway.advance(30_000)
  // The same failover within the window: told once, counted twice.
  for (let i = 0; i < 2; i++) {
    spillway.upstream.on('sk-c').once(limited)
    await spillway.ask('spare')
    await spillway.ops.poolClear({ name: 'spare', member: 'c' })
    await spillway.ops.poolSet({ name: 'spare', set: { strategy: 'ordered' } })
  }
  await scrape()
})

afterAll(() => spillway.close())

describe('the metrics of the contract', () => {
  it.each([
    ['spillway_requests_total{pool="openai",outcome="served"}', 1],
    ['spillway_requests_total{pool="openai",outcome="failed_over"}', 1],
    ['spillway_requests_total{pool="openai",outcome="exhausted"}', 5],
    ['spillway_attempts_total{pool="openai",outcome="success"}', 2],
    ['spillway_attempts_total{pool="openai",outcome="rate-limited"}', 2],
    ['spillway_failovers_total{pool="openai",reason="rate-limited"}', 1],
    ['spillway_pool_exhausted{pool="openai"}', 1],
    ['spillway_pool_exhausted{pool="spare"}', 0],
    ['spillway_member_state{pool="openai",member="a",state="cooling"}', 1],
    ['spillway_member_state{pool="spare",member="d",state="parked"}', 1],
    ['spillway_member_state{pool="spare",member="d",state="healthy"}', 1],
    ['spillway_cooldown_seconds{pool="openai",member="a"}', 60],
    ['spillway_cooldown_seconds{pool="spare",member="d"}', 0],
    ['spillway_inflight{pool="openai"}', 0],
  ])('%s is %d', (name, value) => {
    expect(series.get(name)).toBe(value)
  })

  it.each([
    ['spillway_overhead_seconds', 'histogram'],
    ['spillway_upstream_ttfb_seconds', 'histogram'],
    ['spillway_store_write_seconds', 'histogram'],
    ['spillway_requests_total', 'counter'],
    ['spillway_attempts_total', 'counter'],
    ['spillway_failovers_total', 'counter'],
    ['spillway_signals_suppressed_total', 'counter'],
    ['spillway_refreshes_total', 'counter'],
    ['spillway_pool_exhausted', 'gauge'],
    ['spillway_member_state', 'gauge'],
    ['spillway_cooldown_seconds', 'gauge'],
    ['spillway_inflight', 'gauge'],
    ['spillway_disk_free_bytes', 'gauge'],
    ['spillway_fast_path', 'gauge'],
    ['process_cpu_seconds_total', 'counter'],
    ['nodejs_eventloop_lag_seconds', 'gauge'],
  ])('%s is a %s', (name, type) => {
    expect(types.get(name)).toBe(type)
  })

  it.each([
    'spillway_overhead_seconds_count',
    'spillway_upstream_ttfb_seconds_count{pool="openai"}',
    'spillway_store_write_seconds_count',
    'spillway_disk_free_bytes',
    'spillway_fast_path',
    'spillway_signals_suppressed_total{kind="cred_failover"}',
  ])('%s has a value', (name) => {
    expect(series.get(name)).toBeGreaterThan(0)
  })

  it('name no secret and no key', () => {
    const text = [...series.keys()].join('\n')
    expect(text).not.toContain('sk-')
    expect(text).not.toContain(spillway.key)
  })

  it('fall back when the pool recovers', async () => {
    await spillway.advance(90_000)
    expect((await spillway.ask()).status).toBe(200)
    await scrape()
    expect(series.get('spillway_pool_exhausted{pool="openai"}')).toBe(0)
    expect(series.get('spillway_cooldown_seconds{pool="openai",member="b"}')).toBe(0)
  })
})
