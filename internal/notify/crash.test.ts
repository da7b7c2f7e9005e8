import { describe, expect, it } from 'vitest'
import { noon, sample } from '../../test/fakes/events.ts'
import { Chat, exhausted, failover, Life, recovered } from '../../test/fakes/rig/notices.ts'
import { MemoryStore } from '../../test/fakes/rig/store.ts'

describe('a crash', () => {
  it('between the audit row and the announcement loses nothing and repeats nothing', async () => {
    const life = await Life.begin()
    await life.happen(failover(noon))
    await life.write(exhausted(noon + 1))
    let next = await life.kill()
    await next.clock.advance(0)
    expect(next.chat.texts).toHaveLength(2)
    for (let restart = 0; restart < 3; restart++) {
      next = await next.kill()
      await next.clock.advance(60_000)
    }
    expect(next.chat.messages).toHaveLength(2)
  })

  it('between the outbox and the channel loses nothing', async () => {
    const life = await Life.begin({ chats: [new Chat()] })
    life.chat.fault = { kind: 'transient' }
    await life.happen(exhausted())
    expect(await life.store.outbox()).toHaveLength(1)
    const next = await life.kill({ chats: [new Chat()] })
    await next.clock.advance(10_000)
    expect(next.chat.texts).toHaveLength(1)
    expect(await next.store.outbox()).toEqual([])
  })

  it('during an incident does not make the next process begin a new one', async () => {
    const life = await Life.begin()
    await life.happen(exhausted())
    const next = await life.kill()
    await next.happen(recovered(noon + 720_000))
    expect(next.chat.messages.map(({ replyTo }) => replyTo)).toEqual([null, '1'])
    expect(next.chat.texts[0]).toBe(
      'openai was exhausted for 12 min, from 14:00:00 to 14:12:00 UTC. 418 requests were refused.',
    )
  })

  it('of a long time ago tells no old news but closes what was open', async () => {
    const life = await Life.begin()
    await life.happen(exhausted())
    await life.write(failover(noon + 60_000))
    await life.write(recovered(noon + 120_000))
    await life.clock.advance(7_200_000)
    const next = await life.kill()
    await next.clock.advance(0)
    expect(next.chat.texts).toEqual([
      'openai was exhausted for 2 min, from 14:00:00 to 14:02:00 UTC. 418 requests were refused.',
      'openai recovered after 2 min (work is serving). 418 requests were refused.',
    ])
  })
})

describe('a crash at any commit', () => {
  const story = [
    failover(noon),
    sample('cred_needs_login', { at: noon + 1, from: 'personal', pool: null }),
    exhausted(noon + 2),
    sample('store_trouble', { at: noon + 3 }),
  ]

  it.each(Array.from({ length: 10 }, (_, at) => at))('loses and repeats nothing: commit %d', async (fatal) => {
    const life = await Life.begin({ chats: [new Chat()] })
    life.chat.fault = { kind: 'transient' }
    life.dieAtCommit(fatal)
    for (const event of story) await life.happen(event)
    const next = await life.kill({ chats: [new Chat()] })
    await next.clock.advance(60_000)
    const beginnings = [
      'openai: failed over',
      'personal needs a login',
      'openai is exhausted',
      'The store is in trouble',
    ]
    expect(next.chat.texts.map((text) => beginnings.findIndex((part) => text.startsWith(part))).sort()).toEqual([
      0, 1, 2, 3,
    ])
  })
})

describe('the audit log', () => {
  it('is no news on the first start ever', async () => {
    const store = new MemoryStore()
    await store.commit({ writes: [], audit: [{ event: failover(noon), suppressed: 0 }] })
    const life = await Life.begin({ store })
    await life.clock.advance(10_000)
    expect(life.chat.messages).toEqual([])
  })

  it('brings what nobody announced, a moment after the gap is seen', async () => {
    const life = await Life.begin()
    await life.write(sample('cred_needs_login', { from: 'personal', pool: null }))
    await life.happen(failover(noon))
    expect(life.chat.messages).toHaveLength(1)
    await life.clock.advance(1_000)
    expect(life.chat.messages).toHaveLength(2)
  })

  it('tells nothing twice when announcements come out of turn and the process dies', async () => {
    const life = await Life.begin()
    const first = await life.write(sample('cred_needs_login', { from: 'a', pool: null }))
    const second = await life.write(sample('cred_needs_login', { from: 'b', pool: null }))
    life.bus.publish(second)
    await life.clock.advance(500)
    const next = await life.kill()
    next.bus.publish(first)
    next.bus.publish(second)
    await next.clock.advance(60_000)
    expect(next.chat.texts).toHaveLength(2)
  })

  it('is read again when it could not be read at the start', async () => {
    const store = new MemoryStore()
    const life = await Life.begin({ store })
    await life.write(exhausted())
    const { audit } = store
    let broken = true
    store.audit = async (query) => {
      if (broken) throw new Error('ENOTCONN')
      return audit.call(store, query)
    }
    const next = await life.kill()
    expect(next.chat.messages).toEqual([])
    broken = false
    await next.clock.advance(5_000)
    expect(next.chat.texts).toHaveLength(1)
  })
})
