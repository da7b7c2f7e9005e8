import { describe, expect, it } from 'vitest'
import { noon, sample } from '../../test/fakes/events.ts'
import { MemoryStore } from '../../test/fakes/rig/store.ts'
import { type Clock, FakeClock } from '../clock/clock.ts'
import { type Announcement, type DomainEvent, eventBus } from '../events/events.ts'
import { silentLogger } from '../log/log.ts'
import type { Batch, Store } from '../store/store.ts'
import { type Channel, ChannelError, type Fault, type Notice, type Remark } from './incident/notice.ts'
import { createNotifier } from './notifier.ts'
import type { Notifier, NotifierDeps } from './port.ts'

interface Message {
  readonly id: string
  text: string
  readonly texts: string[]
  readonly replyTo: string | null
  buttons: number
  readonly isSilent: boolean
}

/** A chat as a person would see it. */
class Chat implements Channel {
  readonly name: string
  readonly kind: string
  readonly mutable = true
  readonly messages: Message[] = []
  /** How many calls came, the failed ones included. */
  calls = 0
  /** While set, every call fails so. */
  fault: Fault | null = null
  /** While set, it takes edits but no replies. */
  refusesReplies = false
  /** While set, every call waits for it. */
  gate: Promise<void> | null = null

  constructor(name = 'telegram:42') {
    this.name = name
    this.kind = name.split(':')[0] ?? name
  }

  async send(notice: Notice, signal: AbortSignal): Promise<{ messageId: string }> {
    await this.#call(signal)
    return this.#post(notice, null)
  }

  async edit(messageId: string, notice: Notice, signal: AbortSignal): Promise<void> {
    await this.#call(signal)
    const message = this.messages.find(({ id }) => id === messageId)
    if (!message) throw new ChannelError('message to edit not found', { kind: 'permanent' })
    message.text = notice.text
    message.texts.push(notice.text)
    message.buttons = notice.remedies.length
  }

  async reply(messageId: string, notice: Notice, signal: AbortSignal): Promise<void> {
    await this.#call(signal)
    if (this.refusesReplies) throw new ChannelError('not now', { kind: 'transient' })
    this.#post(notice, messageId)
  }

  async remark({ text, isSilent }: Remark, signal: AbortSignal): Promise<void> {
    await this.#call(signal)
    this.messages.push({
      id: String(this.messages.length + 1),
      text,
      texts: [text],
      replyTo: null,
      buttons: 0,
      isSilent,
    })
  }

  /** How many messages made a sound. */
  get buzzes(): number {
    return this.messages.filter(({ isSilent }) => !isSilent).length
  }

  get texts(): string[] {
    return this.messages.map(({ text }) => text)
  }

  async #call(signal: AbortSignal): Promise<void> {
    this.calls++
    if (this.gate) await Promise.race([this.gate, new Promise((_, reject) => signal.addEventListener('abort', reject))])
    if (this.fault) throw new ChannelError('no', this.fault)
  }

  #post(notice: Notice, replyTo: string | null): { messageId: string } {
    const id = String(this.messages.length + 1)
    const { text, isSilent } = notice
    this.messages.push({ id, text, texts: [text], replyTo, buttons: notice.remedies.length, isSilent })
    return { messageId: id }
  }
}

const log = silentLogger

interface Circumstances {
  readonly clock?: FakeClock
  readonly store?: MemoryStore
  readonly chats?: readonly Chat[]
  readonly poolNow?: NotifierDeps['poolNow']
  readonly costNow?: NotifierDeps['costNow']
  readonly failover?: 'off' | 'silent' | 'on'
}

/** One process: a bus and a notifier over a store that outlives it. */
class Life {
  readonly clock: FakeClock
  readonly store: MemoryStore
  readonly chats: readonly Chat[]
  readonly bus = eventBus((error) => {
    throw error
  })
  readonly notifier: Notifier
  #alive = true
  #commitsLeft = Number.POSITIVE_INFINITY

  constructor({ clock, store, chats, poolNow, costNow, failover = 'silent' }: Circumstances = {}) {
    this.clock = clock ?? new FakeClock(noon)
    this.store = store ?? new MemoryStore()
    this.chats = chats ?? [new Chat()]
    this.notifier = createNotifier({
      store: this.#mortalStore(),
      bus: this.bus,
      clock: this.#mortalClock(),
      log,
      settings: { dedupeMs: 30_000, failover },
      host: 'node7',
      channels: this.chats,
      timeZone: 'UTC',
      ...(poolNow ? { poolNow } : {}),
      ...(costNow ? { costNow } : {}),
    })
  }

  static async begin(circumstances: Circumstances = {}): Promise<Life> {
    const life = new Life(circumstances)
    await life.notifier.start()
    return life
  }

  get chat(): Chat {
    return this.chats[0]!
  }

  /** Writes the audit row and announces it, as the engine does. */
  async happen(event: DomainEvent, suppressed = 0): Promise<void> {
    this.bus.publish(await this.write(event, suppressed))
    await this.clock.advance(0)
  }

  /** Writes the audit row only: the process dies before it announces. */
  async write(event: DomainEvent, suppressed = 0): Promise<Announcement> {
    const [seq = null] = await this.store.commit({ writes: [], audit: [{ event, suppressed }] })
    return { event, seq, suppressed }
  }

  /** The next process on the same store; this one is gone without a word. */
  async kill({ chats }: { chats?: readonly Chat[] } = {}): Promise<Life> {
    this.#alive = false
    return Life.begin({ clock: this.clock, store: this.store, chats: chats ?? this.chats })
  }

  #mortalClock(): Clock {
    const { clock } = this
    const after = (delayMs: number, run: () => void) => clock.after(delayMs, () => this.#alive && run())
    return { now: () => clock.now(), mono: () => clock.mono(), after }
  }

  /** The notifier's commit of that number (from 0) and all later ones never happen. */
  dieAtCommit(commit: number): void {
    this.#commitsLeft = commit
  }

  #mortalStore(): Store {
    const commit = (batch: Batch) => {
      if (--this.#commitsLeft < 0) this.#alive = false
      return this.#alive ? this.store.commit(batch) : new Promise<number[]>(() => {})
    }
    return new Proxy<Store>(this.store, {
      get: (store, name) => (name === 'commit' ? commit : Reflect.get(store, name).bind(store)),
    })
  }
}

const exhausted = (at = noon) => sample('pool_exhausted', { at, detail: { retryAt: at + 300_000 } })
const work = (until: number) => ({ name: 'work', health: { state: 'cooling', until } })
const recovered = (at: number) =>
  sample('pool_recovered', { at, to: 'work', detail: { exhaustedAt: noon, refused: 418 } })
const failover = (at: number, to = 'personal') => sample('cred_failover', { at, to, detail: { until: noon + 300_000 } })

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
