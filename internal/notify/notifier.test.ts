import { describe, expect, it } from 'vitest'
import { noon, sample } from '../../test/fakes/events.ts'
import { Chat, exhausted, failover, Life, recovered, work } from '../../test/fakes/rig/notices.ts'

describe('an exhaustion', () => {
  it('is one message, edited in place while it lasts, closed when it is over, and its end is told once as a reply', async () => {
    const pool = { exhausted: true, retryAt: noon + 300_000, members: [work(noon + 300_000)] }
    const cost = { refused: 1, pools: [] }
    const life = await Life.begin({ poolNow: () => pool, costNow: () => cost })
    await life.happen(exhausted())
    expect(life.chat.texts).toEqual([
      'openai is exhausted: all 3 members are cooling. work recovers first, at 14:05:00 UTC (in 5 min). 1 request refused. Look: spillway pool explain openai',
    ])
    for (let request = 0; request < 100; request++) await life.happen(exhausted())
    Object.assign(pool, { retryAt: noon + 600_000, members: [work(noon + 600_000)] })
    cost.refused = 200
    // Whoever looks is told at once.
    expect(life.notifier.incidents()[0]?.text).toContain(
      'work recovers first, at 14:10:00 UTC (in 10 min). 200 requests',
    )
    await life.clock.advance(60_000)
    expect(life.chat.messages).toHaveLength(1)
    expect(life.chat.messages[0]?.texts.at(-1)).toMatch(
      /^openai is exhausted: all 3 members are cooling\. work recovers first, at 14:10:00 UTC \(in 9 min\)\. Exhausted for \d+ s so far, 200 requests refused\. Look: spillway pool explain openai$/,
    )
    await life.clock.advance(660_000)
    await life.happen(recovered(life.clock.now()))
    expect(life.chat.texts).toEqual([
      'openai was exhausted for 12 min, from 14:00:00 to 14:12:00 UTC. 418 requests were refused.',
      'openai recovered after 12 min (work is serving). 418 requests were refused.',
    ])
    expect(life.chat.messages[1]?.replyTo).toBe('1')
    await life.clock.advance(3_600_000)
    expect(life.chat.messages).toHaveLength(2)
  })

  it('is edited at most every 30 s, and ever more seldom', async () => {
    const life = await Life.begin()
    await life.happen(exhausted())
    for (let second = 0; second < 60; second++) {
      await life.happen(sample('pool_exhausted', { at: life.clock.now(), detail: { retryAt: noon + second } }))
      await life.clock.advance(1_000)
    }
    expect(life.chat.calls).toBeLessThanOrEqual(3)
    await life.clock.advance(86_400_000)
    expect(life.chat.calls).toBeLessThan(50)
  })

  it('offers buttons for what can be done, until it is over', async () => {
    const life = await Life.begin()
    await life.happen(exhausted())
    expect(life.chat.messages[0]?.buttons).toBe(3)
    await life.happen(recovered(life.clock.now()))
    expect(life.chat.messages.map(({ buttons }) => buttons)).toEqual([0, 0])
  })

  it('that follows failovers within moments makes one sound', async () => {
    const life = await Life.begin()
    for (const to of ['a', 'b', 'c', 'd']) await life.happen(failover(life.clock.now(), to))
    await life.happen(exhausted())
    await life.happen(failover(life.clock.now(), 'e'))
    await life.clock.advance(40_000)
    expect(life.chat.texts).toEqual([
      expect.stringMatching(/^openai: 4 failovers in the last hour, nobody was refused\. The last: from work to d /),
      expect.stringMatching(/^openai is exhausted: all 3 members are cooling\./),
    ])
    expect(life.chat.buzzes).toBe(1)
  })

  it('of a pool that was deleted is closed without a word', async () => {
    const life = await Life.begin({ poolNow: () => undefined })
    await life.happen(exhausted())
    await life.clock.advance(30_000)
    expect(life.notifier.incidents()).toEqual([])
    expect(life.chat.texts).toEqual(['openai was exhausted for 30 s, from 14:00:00 to 14:00:30 UTC.'])
  })
})

describe('what comes back within a quarter of an hour', () => {
  const minute = 60_000

  it('is the same incident, without a sound, as long as it goes by', async () => {
    const life = await Life.begin()
    for (let spell = 0; spell < 5; spell++) {
      await life.happen(exhausted(life.clock.now()))
      await life.clock.advance(2 * minute)
      await life.happen(recovered(life.clock.now()))
      await life.clock.advance(3 * minute)
    }
    expect(life.chat.messages.map(({ replyTo }) => replyTo)).toEqual([null, '1'])
    expect(life.chat.buzzes).toBe(2)
    expect(life.chat.texts[0]).toMatch(/^openai was exhausted 5 times from 14:00:00 to 14:22:00 UTC, at last for/)
  })

  it('and stays is told again, and so is its end', async () => {
    const life = await Life.begin()
    await life.happen(exhausted())
    await life.clock.advance(minute)
    await life.happen(recovered(life.clock.now()))
    await life.clock.advance(minute)
    await life.happen(exhausted(life.clock.now()))
    expect(life.chat.texts[0]).toContain('It has come back: 2 times since 14:00:00 UTC.')
    await life.clock.advance(4 * minute)
    expect(life.chat.messages).toHaveLength(2)
    await life.clock.advance(2 * minute)
    expect(life.chat.texts).toHaveLength(3)
    expect(life.chat.texts[2]).toMatch(/^openai is exhausted: .*It has come back/)
    await life.happen(recovered(life.clock.now()))
    await life.clock.advance(minute)
    expect(life.chat.messages.map(({ replyTo }) => replyTo)).toEqual([null, '1', '1', '1'])
    expect(life.chat.texts[3]).toMatch(/^openai recovered/)
    const next = await life.kill()
    await next.clock.advance(60 * minute)
    expect(next.chat.messages).toHaveLength(4)
  })

  it('later is another incident', async () => {
    const life = await Life.begin()
    await life.happen(exhausted())
    await life.happen(recovered(life.clock.now()))
    await life.clock.advance(16 * minute)
    await life.happen(exhausted(life.clock.now()))
    expect(life.chat.messages.map(({ replyTo }) => replyTo)).toEqual([null, '1', null])
  })
})

describe('failovers', () => {
  const minute = 60_000

  it('of a pool make no sound, are one message an hour, and its buttons go when the last is over', async () => {
    const life = await Life.begin()
    for (let again = 0; again < 60; again++) {
      await life.happen(sample('cred_failover', { at: life.clock.now(), detail: { until: life.clock.now() + 20_000 } }))
      await life.clock.advance(minute)
    }
    await life.clock.advance(20 * minute)
    expect(life.chat.buzzes).toBe(0)
    expect(life.chat.texts).toEqual([
      expect.stringMatching(/^openai: 60 failovers from 14:00:00 to 15:00:00 UTC, nobody was refused\.$/),
    ])
    expect(life.chat.messages[0]?.buttons).toBe(0)
    await life.happen(failover(life.clock.now()))
    expect(life.chat.messages).toHaveLength(2)
  })

  it('say what the hour has cost', async () => {
    const life = await Life.begin()
    await life.happen(failover(noon))
    await life.happen(exhausted(noon + 1_000))
    await life.clock.advance(minute)
    await life.happen(recovered(life.clock.now()))
    await life.happen(failover(life.clock.now() + 1))
    await life.clock.advance(minute)
    expect(life.chat.texts[0]).toMatch(/^openai: 2 failovers in the last hour, 418 requests refused\./)
  })

  it('offer buttons only while they mean something', async () => {
    const life = await Life.begin()
    await life.happen(failover(noon))
    expect(life.chat.messages[0]?.buttons).toBe(2)
    const [id = ''] = (await life.store.incidents()).map((incident) => incident.id)
    const clear = { verb: 'clear', pool: 'openai', member: 'work' } as const
    expect(life.notifier.offers(id, clear)).toBe(true)
    expect(life.notifier.offers(id, { ...clear, member: 'personal' })).toBe(false)
    await life.clock.advance(5 * minute)
    expect(life.notifier.offers(id, clear)).toBe(false)
    await life.clock.advance(10_000)
    expect(life.chat.messages[0]?.buttons).toBe(0)
    await life.clock.advance(10 * minute)
    expect(life.chat.texts[0]).toBe(
      'openai: failed over from work to personal at 14:00:00 UTC (429 rate limit); nobody was refused. That is over.',
    )
    expect(life.notifier.offers('nonsense', clear)).toBe(false)
  })

  it.each([
    ['on', 1, 1],
    ['silent', 1, 0],
    ['off', 0, 0],
  ] as const)('are told as the setting says: %s', async (setting, messages, buzzes) => {
    const life = await Life.begin({ failover: setting })
    await life.happen(failover(noon))
    await life.clock.advance(minute)
    expect([life.chat.messages.length, life.chat.buzzes]).toEqual([messages, buzzes])
  })

  it.each(['cred_disabled', 'cred_needs_login'] as const)(
    'from a key that turns out to be dead are told with it (%s)',
    async (kind) => {
      const life = await Life.begin()
      await life.happen(sample('cred_failover', { reason: 'auth-rejected', detail: { until: noon + 300_000 } }))
      await life.clock.advance(2_000)
      const about = { at: life.clock.now(), pool: null, from: 'work', to: null, reason: 'auth-rejected' as const }
      await life.happen(sample(kind, about))
      await life.happen(failover(life.clock.now()))
      await life.clock.advance(2 * minute)
      expect(life.chat.messages).toHaveLength(1)
      expect(life.chat.texts[0]).toMatch(/^work /)
    },
  )

  it('from a key that is well after all are told after a moment', async () => {
    const life = await Life.begin()
    await life.happen(sample('cred_failover', { reason: 'auth-rejected', detail: { until: noon + 300_000 } }))
    await life.clock.advance(40_000)
    expect(life.chat.texts).toHaveLength(1)
  })
})

describe("an operator's own doing", () => {
  const by = { actor: 'operator:cli' } as const

  it('makes no sound', async () => {
    const life = await Life.begin()
    await life.happen(sample('pool_rotated', by))
    const about = { ...by, pool: null, from: 'work', to: null } as const
    await life.happen(sample('cred_disabled', { ...about, detail: { by: 'operator' } }))
    await life.clock.advance(60_000)
    await life.happen(sample('cred_revived', { ...about, at: life.clock.now(), detail: { how: 'operator' } }))
    await life.clock.advance(600_000)
    expect(life.chat.messages.map(({ replyTo }) => replyTo)).toEqual([null, null])
    expect(life.chat.buzzes).toBe(0)
    expect(life.chat.texts[0]).toBe('openai: rotated from work to personal by operator:cli at 14:00:00 UTC.')
  })

  it('ends what was told with a sound without one', async () => {
    const life = await Life.begin()
    await life.happen(sample('cred_needs_login', { pool: null, from: 'work' }))
    await life.clock.advance(60_000)
    await life.happen(sample('cred_revived', { ...by, at: life.clock.now(), pool: null, from: 'work' }))
    expect(life.chat.messages.map(({ isSilent }) => isSilent)).toEqual([false, true])
  })
})

describe('a bad configuration', () => {
  it('is one message, and its end is told', async () => {
    const life = await Life.begin()
    await life.happen(sample('config_rejected', { pool: null }))
    await life.clock.advance(60_000)
    await life.happen(sample('config_changed', { at: life.clock.now(), pool: null }))
    expect(life.chat.texts).toEqual([
      'The configuration had 1 problem for 60 s, from 14:00:00 to 14:01:00 UTC.',
      'The configuration is well again after 60 s, and in force.',
    ])
  })

  it('is over when the program has started', async () => {
    const life = await Life.begin()
    await life.happen(sample('config_rejected', { pool: null }))
    const next = await life.kill()
    expect(next.notifier.incidents()).toEqual([])
  })
})

describe('a remark', () => {
  it('goes to every channel, and says what came of it', async () => {
    const life = await Life.begin({ chats: [new Chat('telegram:1'), new Chat('telegram:2'), new Chat('telegram:3')] })
    life.chats[1]!.fault = { kind: 'permanent' }
    life.chats[2]!.gate = new Promise(() => {})
    const told = life.notifier.remark({ about: 'test', text: 'hello', command: null, isSilent: false }, 10_000)
    await life.clock.advance(0)
    await life.clock.advance(10_000)
    expect(await told).toEqual([
      { channel: 'telegram:1', problem: null },
      { channel: 'telegram:2', problem: 'no' },
      { channel: 'telegram:3', problem: 'no answer within 10000 ms' },
    ])
    expect(life.chat.texts).toEqual(['hello'])
  })
})

describe('repeats', () => {
  it('are one notice, and counted when the window is over', async () => {
    const life = await Life.begin()
    const blocked = (at: number) => sample('egress_blocked', { at, from: null })
    for (let again = 0; again < 6; again++) await life.happen(blocked(life.clock.now() + again))
    expect(life.chat.messages).toHaveLength(1)
    await life.clock.advance(40_000)
    expect(life.chat.texts).toEqual([expect.stringContaining('It happened 6 times.')])
    expect(life.chat.messages).toHaveLength(1)
  })

  it('are known over a restart', async () => {
    const life = await Life.begin()
    await life.happen(failover(noon))
    const next = await life.kill()
    await next.clock.advance(10_000)
    await next.happen(failover(next.clock.now()))
    await next.clock.advance(60_000)
    expect(next.chat.texts).toEqual([expect.stringMatching(/^openai: 2 failovers/)])
  })
})

describe('conditions', () => {
  it('that hold are listed, moments are not', async () => {
    const life = await Life.begin()
    await life.happen(failover(noon))
    await life.happen(sample('cred_needs_login', { from: 'personal', pool: null, reason: 'refresh-rejected' }))
    await life.happen(exhausted(noon))
    const open = life.notifier.incidents()
    expect(open.map(({ record: { kind, pool, subject } }) => [kind, pool, subject])).toEqual([
      ['cred_needs_login', null, 'personal'],
      ['pool_exhausted', 'openai', 'work'],
    ])
    expect(open.map(({ text }) => text)).toEqual([
      'personal needs a login (refresh token revoked). Run: spillway cred login personal',
      'openai is exhausted: all 3 members are cooling. work recovers first, at 14:05:00 UTC (in 5 min). Look: spillway pool explain openai',
    ])
    await life.happen(sample('cred_revived', { at: noon + 1, from: 'personal', pool: null }))
    expect(life.notifier.incidents().map(({ record }) => record.kind)).toEqual(['pool_exhausted'])
    expect(life.chat.texts.at(-1)).toBe('personal is usable again after 1 s (new login).')
  })

  it('that are over before they are worth telling are not told', async () => {
    const life = await Life.begin()
    await life.happen(sample('host_down', { at: noon }))
    await life.clock.advance(4_000)
    await life.happen(sample('host_up', { at: life.clock.now() }))
    await life.clock.advance(60_000)
    expect(life.chat.messages).toEqual([])
    expect(await life.store.outbox()).toEqual([])
  })
})
