import { describe, expect, it } from 'vitest'
import { noon, sample } from '../../test/fakes/events.ts'
import { Chat, exhausted, failover, Life, recovered } from '../../test/fakes/rig/notices.ts'

describe('a channel that is away', () => {
  it('is tried again with growing pauses and then told once', async () => {
    const life = await Life.begin()
    life.chat.fault = { kind: 'transient' }
    await life.happen(exhausted())
    await life.clock.advance(600_000)
    expect(life.chat.calls).toBeLessThan(15)
    life.chat.fault = null
    await life.clock.advance(300_000)
    expect(life.chat.messages).toHaveLength(1)
  })

  it('gets beginning and end in one message when both passed meanwhile', async () => {
    const life = await Life.begin()
    life.chat.fault = { kind: 'transient' }
    await life.happen(exhausted())
    await life.clock.advance(60_000)
    await life.happen(recovered(life.clock.now()))
    life.chat.fault = null
    await life.clock.advance(120_000)
    expect(life.chat.texts).toEqual([
      'openai was exhausted for 60 s, from 14:00:00 to 14:01:00 UTC. 418 requests were refused.\n' +
        'openai recovered after 60 s (work is serving). 418 requests were refused.',
    ])
  })

  it('is left alone for as long as it asks', async () => {
    const life = await Life.begin()
    life.chat.fault = { kind: 'retry-after', afterMs: 35_000 }
    await life.happen(exhausted())
    life.chat.fault = null
    await life.happen(sample('cred_needs_login', { pool: null }))
    await life.clock.advance(34_999)
    expect(life.chat.calls).toBe(1)
    await life.clock.advance(1)
    expect(life.chat.messages).toHaveLength(2)
  })

  it('never makes the outbox longer than 100, and hears how much it missed', async () => {
    const life = await Life.begin()
    life.chat.fault = { kind: 'transient' }
    for (let login = 0; login < 130; login++) {
      await life.happen(sample('cred_needs_login', { at: noon + login, from: `c${login}`, pool: null }))
    }
    expect(await life.store.outbox()).toHaveLength(100)
    const next = await life.kill()
    next.chat.fault = null
    await next.clock.advance(600_000)
    expect(next.chat.messages).toHaveLength(100)
    expect(next.chat.texts[0]).toContain('Notices left out before this one: 30.')
    expect(next.chat.texts[1]).not.toContain('left out')
  })

  it('is not flooded when thousands of credentials fall at once', async () => {
    const life = await Life.begin()
    for (let login = 0; login < 1_000; login++) {
      life.bus.publish({ event: sample('cred_disabled', { from: `c${login}`, pool: null }), seq: null, suppressed: 0 })
    }
    await life.clock.advance(59_000)
    expect(life.chat.messages).toHaveLength(20)
    await life.clock.advance(600_000)
    expect(life.chat.messages.length).toBeLessThanOrEqual(120)
    expect(life.chat.texts.some((text) => text.includes('Notices left out before this one: 9'))).toBe(true)
  })

  it('does not keep others from hearing', async () => {
    const chats = [new Chat('telegram:1'), new Chat('telegram:2')]
    const life = await Life.begin({ chats })
    chats[0]!.gate = new Promise(() => {})
    await life.happen(exhausted())
    expect(chats[1]!.messages).toHaveLength(1)
  })

  it('that refuses a notice for good is not asked again', async () => {
    const life = await Life.begin()
    life.chat.fault = { kind: 'permanent' }
    await life.happen(failover(noon))
    await life.clock.advance(3_600_000)
    expect(life.chat.calls).toBe(1)
    expect(await life.store.outbox()).toEqual([])
  })

  it('whose message is gone still hears the end', async () => {
    const life = await Life.begin()
    await life.happen(exhausted())
    life.chat.messages.length = 0
    await life.happen(recovered(life.clock.now()))
    expect(life.chat.texts).toEqual(['openai recovered after 0 s (work is serving). 418 requests were refused.'])
  })

  it('that took the edit but not the reply is asked for the reply only', async () => {
    const life = await Life.begin()
    await life.happen(exhausted())
    life.chat.refusesReplies = true
    await life.happen(recovered(noon + 1_000))
    life.chat.refusesReplies = false
    await life.clock.advance(60_000)
    expect(life.chat.messages.map(({ texts }) => texts.length)).toEqual([2, 1])
  })

  it('tells what changed while a message was on its way as an edit of it', async () => {
    const life = await Life.begin()
    let open = () => {}
    life.chat.gate = new Promise((resolve) => {
      open = resolve
    })
    await life.happen(exhausted())
    await life.happen(recovered(noon + 1_000))
    expect(life.chat.messages).toEqual([])
    open()
    await life.clock.advance(100)
    expect(life.chat.messages.map(({ texts }) => texts.length)).toEqual([2, 1])
  })
})

describe('a mute', () => {
  const hour = 3_600_000

  it('tells what is urgent at once and without a sound, and sums up what has passed', async () => {
    const life = await Life.begin()
    life.notifier.mute(noon + hour)
    await life.happen(failover(noon))
    await life.happen(sample('host_down', { at: noon }))
    await life.clock.advance(10_000)
    await life.happen(sample('host_up', { at: life.clock.now() }))
    const next = await life.kill()
    await next.happen(exhausted(next.clock.now()))
    expect(next.notifier.mutedUntil()).toBe(noon + hour)
    expect(next.chat.texts).toEqual([expect.stringContaining('openai is exhausted')])
    await next.clock.advance(60_000)
    await next.happen(recovered(next.clock.now()))
    await next.clock.advance(hour)
    expect(next.chat.buzzes).toBe(0)
    expect(next.notifier.mutedUntil()).toBeNull()
    expect(next.chat.texts.slice(1)).toEqual([
      expect.stringMatching(/^openai recovered/),
      [
        'While notices were muted, 2 incidents began and ended:',
        '- openai: failed over from work to personal at 14:00:00 UTC (429 rate limit); 418 requests refused. That is over.',
        '- api.openai.com:443 was not reachable for 10 s, from 14:00:00 to 14:00:10 UTC.',
      ].join('\n'),
    ])
    await next.clock.advance(hour)
    expect(next.chat.messages).toHaveLength(3)
  })

  it('that is ended early tells what still holds, with a message of its own', async () => {
    const life = await Life.begin()
    life.notifier.mute(noon + hour)
    await life.happen(sample('store_trouble', { at: noon }))
    await life.clock.advance(60_000)
    expect(life.chat.messages).toEqual([])
    life.notifier.mute(null)
    await life.clock.advance(0)
    expect(life.chat.texts).toEqual([expect.stringContaining('The store is in trouble')])
    expect(life.chat.buzzes).toBe(1)
  })

  it('whose summary does not arrive tells it later', async () => {
    const life = await Life.begin()
    life.notifier.mute(noon + hour)
    await life.happen(failover(noon))
    await life.clock.advance(hour - 1)
    life.chat.fault = { kind: 'transient' }
    await life.clock.advance(1)
    life.chat.fault = null
    await life.clock.advance(60_000)
    expect(life.chat.texts).toEqual([expect.stringContaining('While notices were muted, 1 incident began and ended:')])
  })
})

describe('a store that is ill', () => {
  it('does not keep its own trouble from being told, marked as not persisted', async () => {
    const life = await Life.begin()
    life.store.trouble = new Error('ENOSPC')
    life.bus.publish({ event: sample('store_trouble', { at: noon }), seq: null, suppressed: 0 })
    await life.clock.advance(3_000)
    expect(life.chat.texts).toEqual([
      'The store is in trouble: the disk is full. Requests go on from memory. (not persisted) Look: spillway doctor',
    ])
    life.store.trouble = null
    await life.happen(sample('store_healed', { at: life.clock.now() }))
    await life.clock.advance(10_000)
    expect(life.chat.texts).toHaveLength(2)
    expect((await life.store.incidents()).map(({ kind, closedAt }) => [kind, closedAt])).toEqual([
      ['store_trouble', noon + 3_000],
    ])
  })

  it('delays a notice by two seconds when it hangs', async () => {
    const life = await Life.begin()
    const written = await life.write(exhausted())
    life.store.hung = new Promise(() => {})
    life.bus.publish(written)
    await life.clock.advance(1_999)
    expect(life.chat.messages).toEqual([])
    await life.clock.advance(1)
    expect(life.chat.messages).toHaveLength(1)
  })

  it('gets everything when it is well again, though nothing more happens', async () => {
    const life = await Life.begin()
    const written = await life.write(exhausted())
    life.store.trouble = new Error('ENOSPC')
    life.bus.publish(written)
    await life.clock.advance(20_000)
    expect(await life.store.incidents()).toEqual([])
    life.store.trouble = null
    await life.clock.advance(5_000)
    expect(await life.store.incidents()).toMatchObject([{ kind: 'pool_exhausted' }])
    expect((await life.store.load()).meta['notify.cursor']).toBe('1')
  })

  it('that writes the row later does not make it told again', async () => {
    const life = await Life.begin()
    life.bus.publish({ event: exhausted(), seq: null, suppressed: 0 })
    await life.clock.advance(3_000)
    await life.write(exhausted())
    await life.happen(sample('key_created'))
    await life.clock.advance(5_000)
    expect(life.chat.messages).toHaveLength(1)
  })
})

describe('stopping', () => {
  it('lets a message under way end, saves the rest and does not wait for a channel that hangs', async () => {
    const life = await Life.begin()
    life.chat.gate = new Promise(() => {})
    await life.happen(exhausted())
    const stopped = life.notifier.stop()
    await life.clock.advance(1_000)
    await stopped
    expect(await life.store.outbox()).toHaveLength(1)
    await life.clock.advance(600_000)
    expect(life.chat.calls).toBe(1)
  })

  it('forgets rows of channels that are configured no more', async () => {
    const life = await Life.begin()
    life.chat.fault = { kind: 'transient' }
    await life.happen(exhausted())
    const next = await life.kill({ chats: [new Chat('telegram:7')] })
    await next.notifier.flush()
    expect(await next.store.outbox()).toEqual([])
  })
})

describe('when nothing happens', () => {
  it('writes nothing and keeps no timer', async () => {
    const life = await Life.begin()
    await life.happen(sample('member_parked', { at: noon }))
    await life.clock.advance(60_000)
    const batches = life.store.batches.length
    await life.clock.advance(86_400_000)
    expect(life.store.batches).toHaveLength(batches)
  })
})
