import perfHooks from 'node:perf_hooks'
import { describe, expect, it, vi } from 'vitest'
import { type Announcement, eventBus } from '../events/events.ts'
import { createMetrics, type MemberView, type PoolMetrics, type PoolView, type View } from './metrics.ts'

const now = Date.UTC(2026, 0, 5, 14, 0, 0)

function member(name: string, health: MemberView['health'], park: object | null = null): MemberView {
  return { name, health, park, usage: [] }
}

function pool(name: string, members: readonly MemberView[] = [], exhausted = false): PoolView {
  return { name, exhausted, members }
}

function measured(first: Partial<View> | null = {}) {
  let view: View | null = first && { now, pools: [], upstreams: [], diskFreeBytes: null, fastPath: true, ...first }
  const metrics = createMetrics({ view: () => view })
  return {
    metrics,
    show(next: Partial<View>) {
      view = { now, pools: [], upstreams: [], diskFreeBytes: null, fastPath: true, ...next }
    },
    /** The samples of the metrics with this name, without help and type. */
    async samples(name: string): Promise<string[]> {
      const lines = (await metrics.render()).split('\n')
      return lines.filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    },
  }
}

function failover(reason: 'quota' | 'rate-limited', suppressed = 0, inPool = 'p'): Announcement {
  const detail = { until: null, status: 429 }
  return {
    event: { kind: 'cred_failover', at: now, pool: inPool, from: 'a', to: 'b', reason, actor: 'upstream', detail },
    seq: 1,
    suppressed,
  }
}

it('measures Node itself from the first scrape on, because its loop wakes for that a hundred times a second', async () => {
  const watched = vi.spyOn(perfHooks, 'monitorEventLoopDelay')
  const { samples } = measured()
  expect(watched).not.toHaveBeenCalled()
  expect(await samples('nodejs_eventloop_lag_seconds')).toHaveLength(1)
  await samples('nodejs_eventloop_lag_seconds')
  expect(watched).toHaveBeenCalledTimes(1)
  watched.mockRestore()
})

describe('counters', () => {
  it('count requests and attempts by pool and outcome', async () => {
    const { metrics, samples } = measured({ pools: [pool('p'), pool('q')] })
    metrics.pool('p').request('served')
    metrics.pool('p').request('served')
    metrics.pool('p').request('exhausted')
    metrics.pool('q').request('served')
    metrics.pool('p').attempt('rate-limited')
    expect(await samples('spillway_requests_total')).toEqual([
      'spillway_requests_total{pool="p",outcome="served"} 2',
      'spillway_requests_total{pool="p",outcome="exhausted"} 1',
      'spillway_requests_total{pool="q",outcome="served"} 1',
    ])
    expect(await samples('spillway_attempts_total')).toEqual([
      'spillway_attempts_total{pool="p",outcome="rate-limited"} 1',
    ])
  })

  it('say the same at the next scrape', async () => {
    const { metrics, samples } = measured({ pools: [pool('p')] })
    metrics.pool('p').request('served')
    await samples('spillway_requests_total')
    expect(await samples('spillway_requests_total')).toEqual(['spillway_requests_total{pool="p",outcome="served"} 1'])
  })

  it('count refreshes by result', async () => {
    const { metrics, samples } = measured()
    metrics.refresh('renewed')
    metrics.refresh('needs-login')
    metrics.refresh('renewed')
    expect(await samples('spillway_refreshes_total')).toEqual([
      'spillway_refreshes_total{result="renewed"} 2',
      'spillway_refreshes_total{result="needs-login"} 1',
    ])
  })

  it('put words beyond any vocabulary together, so that nobody can grow the list', async () => {
    const { metrics, samples } = measured()
    for (let word = 0; word < 1_000; word++) metrics.refresh(`word-${word}`)
    const found = await samples('spillway_refreshes_total')
    expect(found).toHaveLength(41)
    expect(found.at(-1)).toBe('spillway_refreshes_total{result="other"} 960')
  })

  it('escape what a name may hold', async () => {
    const odd = 'a"b\\c\nd'
    const { metrics, samples } = measured({ pools: [pool(odd, [member(odd, { state: 'healthy' })])] })
    metrics.pool(odd).request('served')
    expect(await samples('spillway_requests_total')).toEqual([
      'spillway_requests_total{pool="a\\"b\\\\c\\nd",outcome="served"} 1',
    ])
    expect(await samples('spillway_cooldown_seconds')).toEqual([
      'spillway_cooldown_seconds{pool="a\\"b\\\\c\\nd",member="a\\"b\\\\c\\nd"} 0',
    ])
  })
})

describe('events', () => {
  it('are counted as failovers by reason, the left-out ones among them', async () => {
    const { metrics, samples } = measured({ pools: [pool('p')] })
    const bus = eventBus(() => {})
    const end = metrics.listen(bus)
    bus.publish(failover('quota'))
    bus.publish(failover('quota', 3))
    bus.publish(failover('rate-limited'))
    expect(await samples('spillway_failovers_total')).toEqual([
      'spillway_failovers_total{pool="p",reason="quota"} 5',
      'spillway_failovers_total{pool="p",reason="rate-limited"} 1',
    ])
    end()
    bus.publish(failover('quota'))
    expect(await samples('spillway_failovers_total')).toContain('spillway_failovers_total{pool="p",reason="quota"} 5')
  })

  it('of other kinds are no failovers', async () => {
    const { metrics, samples } = measured({ pools: [pool('p')] })
    const bus = eventBus(() => {})
    metrics.listen(bus)
    const detail = { exhaustedAt: now, refused: 418 }
    const rest = { at: now, pool: 'p', from: null, to: 'a', reason: null, actor: 'spillway' }
    bus.publish({ event: { kind: 'pool_recovered', detail, ...rest }, seq: 2, suppressed: 418 })
    expect(await samples('spillway_failovers_total')).toEqual([])
    expect(await samples('spillway_signals_suppressed_total')).toEqual([
      'spillway_signals_suppressed_total{kind="pool_recovered"} 418',
    ])
  })

  it('left out are counted at once, and not again by the announcement that carries them', async () => {
    const { metrics, samples } = measured()
    const bus = eventBus(() => {})
    metrics.listen(bus)
    for (let left = 0; left < 3; left++) metrics.suppressed('cred_failover')
    expect(await samples('spillway_signals_suppressed_total')).toEqual([
      'spillway_signals_suppressed_total{kind="cred_failover"} 3',
    ])
    bus.publish(failover('quota', 2))
    bus.publish(failover('quota', 1, 'q'))
    bus.publish(failover('quota', 4))
    expect(await samples('spillway_signals_suppressed_total')).toEqual([
      'spillway_signals_suppressed_total{kind="cred_failover"} 7',
    ])
  })
})

describe('histograms', () => {
  it('hold our own time, the time to the first byte and store writes', async () => {
    const { metrics, samples } = measured({ pools: [pool('p')] })
    metrics.overhead(0.0002)
    metrics.pool('p').ttfb(0.3)
    metrics.storeWrite(0.0004)
    expect(await samples('spillway_overhead_seconds_bucket')).toContain(
      'spillway_overhead_seconds_bucket{le="0.00025"} 1',
    )
    expect(await samples('spillway_overhead_seconds_bucket')).toContain(
      'spillway_overhead_seconds_bucket{le="0.0001"} 0',
    )
    expect(await samples('spillway_upstream_ttfb_seconds_sum')).toEqual([
      'spillway_upstream_ttfb_seconds_sum{pool="p"} 0.3',
    ])
    expect(await samples('spillway_store_write_seconds_count')).toEqual(['spillway_store_write_seconds_count 1'])
  })

  it('leave out what is no number and count what is negative as nothing', async () => {
    const { metrics, samples } = measured()
    for (const seconds of [Number.NaN, Number.POSITIVE_INFINITY, -1]) metrics.overhead(seconds)
    expect(await samples('spillway_overhead_seconds_count')).toEqual(['spillway_overhead_seconds_count 1'])
    expect(await samples('spillway_overhead_seconds_sum')).toEqual(['spillway_overhead_seconds_sum 0'])
  })
})

describe('gauges', () => {
  const members = [
    member('well', { state: 'healthy' }),
    member('aside', { state: 'healthy' }, { until: null }),
    member('limited', { state: 'cooling', until: now + 90_500 }),
    member('tested', { state: 'probing', was: { until: now + 5_000 } }),
    member('late', { state: 'cooling', until: now - 1 }),
    member('closed', { state: 'disabled' }),
  ]

  it('show the state of each member, and its park beside it', async () => {
    const { samples } = measured({ pools: [pool('p', members)] })
    expect(await samples('spillway_member_state')).toEqual([
      'spillway_member_state{pool="p",member="well",state="healthy"} 1',
      'spillway_member_state{pool="p",member="aside",state="healthy"} 1',
      'spillway_member_state{pool="p",member="aside",state="parked"} 1',
      'spillway_member_state{pool="p",member="limited",state="cooling"} 1',
      'spillway_member_state{pool="p",member="tested",state="probing"} 1',
      'spillway_member_state{pool="p",member="late",state="cooling"} 1',
      'spillway_member_state{pool="p",member="closed",state="disabled"} 1',
    ])
  })

  it('show how long each member still cools', async () => {
    const { samples } = measured({ pools: [pool('p', members)] })
    expect((await samples('spillway_cooldown_seconds')).map((line) => line.replace(/.*member=/, ''))).toEqual([
      '"well"} 0',
      '"aside"} 0',
      '"limited"} 90.5',
      '"tested"} 5',
      '"late"} 0',
      '"closed"} 0',
    ])
  })

  it('show how much of each limit is used, each limit once', async () => {
    const windows = [
      { window: '5h', usedPercent: 25, resetAt: null },
      { window: '7d', usedPercent: 101.5, resetAt: now + 90_000 },
      { window: '5h', usedPercent: 75, resetAt: null },
    ]
    const { samples } = measured({ pools: [pool('p', [{ ...members[0]!, usage: windows }, members[1]!])] })
    expect(await samples('spillway_window_used_ratio')).toEqual([
      'spillway_window_used_ratio{pool="p",member="well",window="5h"} 0.75',
      'spillway_window_used_ratio{pool="p",member="well",window="7d"} 1.015',
    ])
    expect(await samples('spillway_window_reset_seconds')).toEqual([
      'spillway_window_reset_seconds{pool="p",member="well",window="7d"} 90',
    ])
  })

  it('show exhaustion, requests in flight and free disk', async () => {
    const { metrics, samples } = measured({ pools: [pool('p', [], true), pool('q')], diskFreeBytes: 5_000 })
    metrics.pool('p').inflight(1)
    metrics.pool('p').inflight(1)
    metrics.pool('p').inflight(-1)
    expect(await samples('spillway_pool_exhausted')).toEqual([
      'spillway_pool_exhausted{pool="p"} 1',
      'spillway_pool_exhausted{pool="q"} 0',
    ])
    expect(await samples('spillway_inflight')).toEqual([
      'spillway_inflight{pool="p"} 1',
      'spillway_inflight{pool="q"} 0',
    ])
    expect(await samples('spillway_disk_free_bytes')).toEqual(['spillway_disk_free_bytes 5000'])
  })

  it('say nothing of a disk that does not answer', async () => {
    const { samples } = measured({ diskFreeBytes: null, diskReserveBytes: null })
    expect(await samples('spillway_disk_free_bytes')).toEqual([])
    expect(await samples('spillway_disk_reserve_bytes')).toEqual([])
  })

  it('show what is to stay free of the disk, and whether the store is away', async () => {
    const { samples, show } = measured({ diskReserveBytes: 1_024 })
    expect(await samples('spillway_disk_reserve_bytes')).toEqual(['spillway_disk_reserve_bytes 1024'])
    expect(await samples('spillway_store_away')).toEqual(['spillway_store_away 0'])
    show({ storeAway: true })
    expect(await samples('spillway_store_away')).toEqual(['spillway_store_away 1'])
  })
})

describe('a pool that is removed', () => {
  it('disappears with its members from everything that is shown', async () => {
    const { metrics, samples, show } = measured({ pools: [pool('p', [member('a', { state: 'healthy' })])] })
    metrics.pool('p').request('served')
    metrics.pool('p').attempt('success')
    metrics.pool('p').ttfb(1)
    expect((await metrics.render()).match(/pool="p"/g)?.length).toBeGreaterThan(5)
    show({ pools: [] })
    expect(await metrics.render()).not.toContain('pool="p"')
    metrics.pool('p').ttfb(1)
    expect(await metrics.render()).not.toContain('pool="p"')
    expect(await samples('spillway_member_state')).toEqual([])
  })

  it('goes on counting where it was when its name comes back, also through an object that was kept', async () => {
    const { metrics, samples, show } = measured({ pools: [pool('p')] })
    const kept: PoolMetrics = metrics.pool('p')
    kept.request('served')
    show({ pools: [] })
    await metrics.render()
    show({ pools: [pool('p')] })
    kept.request('served')
    expect(metrics.pool('p')).toBe(kept)
    expect(await samples('spillway_requests_total')).toEqual(['spillway_requests_total{pool="p",outcome="served"} 2'])
  })

  it('leaves members of the same name in other pools alone', async () => {
    const shared = [member('a', { state: 'healthy' })]
    const { metrics, samples, show } = measured({ pools: [pool('p', shared), pool('q', shared)] })
    await metrics.render()
    show({ pools: [pool('q', shared)] })
    expect(await samples('spillway_cooldown_seconds')).toEqual(['spillway_cooldown_seconds{pool="q",member="a"} 0'])
  })
})

describe('a scrape', () => {
  it('shows what was counted and no states while there is nothing to see', async () => {
    const { metrics, samples } = measured(null)
    metrics.pool('p').request('served')
    expect(await samples('spillway_requests_total')).toEqual(['spillway_requests_total{pool="p",outcome="served"} 1'])
    expect(await samples('spillway_pool_exhausted')).toEqual([])
  })

  it('says whether the fast path is active', async () => {
    expect(await measured().samples('spillway_fast_path')).toEqual(['spillway_fast_path 1'])
    expect(await measured({ fastPath: false }).samples('spillway_fast_path')).toEqual(['spillway_fast_path 0'])
  })

  it('shows the connections to each upstream, who waits for one, and who was refused for want of one', async () => {
    const upstreams = [{ origin: 'https://api.example', open: 256, waiting: 3, refused: 2 }]
    const { samples } = measured({ upstreams })
    const label = '{origin="https://api.example"}'
    expect(await samples('spillway_upstream_connections')).toEqual([`spillway_upstream_connections${label} 256`])
    expect(await samples('spillway_upstream_waiting')).toEqual([`spillway_upstream_waiting${label} 3`])
    expect(await samples('spillway_upstream_crowded_total')).toEqual([`spillway_upstream_crowded_total${label} 2`])
  })

  it('fails when the view does', async () => {
    const metrics = createMetrics({
      view() {
        throw new Error('no view')
      },
    })
    await expect(metrics.render()).rejects.toThrow('no view')
  })

  it("holds every name of the interface and Node's own", async () => {
    const { metrics } = measured()
    const text = await metrics.render()
    expect(metrics.contentType).toMatch(/^text\/plain; version=0\.0\.4/)
    for (const [name, type] of [
      ['spillway_requests_total', 'counter'],
      ['spillway_attempts_total', 'counter'],
      ['spillway_failovers_total', 'counter'],
      ['spillway_pool_exhausted', 'gauge'],
      ['spillway_member_state', 'gauge'],
      ['spillway_cooldown_seconds', 'gauge'],
      ['spillway_window_used_ratio', 'gauge'],
      ['spillway_window_reset_seconds', 'gauge'],
      ['spillway_overhead_seconds', 'histogram'],
      ['spillway_upstream_ttfb_seconds', 'histogram'],
      ['spillway_inflight', 'gauge'],
      ['spillway_signals_suppressed_total', 'counter'],
      ['spillway_refreshes_total', 'counter'],
      ['spillway_store_write_seconds', 'histogram'],
      ['spillway_disk_free_bytes', 'gauge'],
      ['spillway_fast_path', 'gauge'],
      ['process_cpu_seconds_total', 'counter'],
      ['nodejs_eventloop_lag_seconds', 'gauge'],
    ] as const) {
      expect(text).toContain(`# TYPE ${name} ${type}\n`)
    }
  })

  it('asks for the view once', async () => {
    let asked = 0
    const metrics = createMetrics({
      view() {
        asked += 1
        return { now, pools: [pool('p')], upstreams: [], diskFreeBytes: 1, fastPath: true }
      },
    })
    await metrics.render()
    expect(asked).toBe(1)
  })
})
