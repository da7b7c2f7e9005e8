import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { noon, sample } from '../../test/fakes/events.ts'
import { FakeClock, systemClock } from '../clock/clock.ts'
import { eventBus } from '../events/events.ts'
import { silentLogger } from '../log/log.ts'
import { openSqliteStore, type Store } from '../store/store.ts'
import type { Channel, Notice } from './incident/notice.ts'
import { createNotifier } from './notifier.ts'
import type { Notifier } from './port.ts'

let folder: string
let store: Store
let clock: FakeClock
let sent: { how: string; text: string }[]

const chat: Channel = {
  name: 'telegram:42',
  kind: 'telegram',
  mutable: true,
  send: async (notice) => {
    await tell('send', notice)
    return { messageId: '1' }
  },
  edit: (_messageId, notice) => tell('edit', notice),
  reply: (_messageId, notice) => tell('reply', notice),
  remark: async () => {},
}

async function tell(how: string, { text }: Notice): Promise<void> {
  sent.push({ how, text })
}

const open = () =>
  openSqliteStore({
    file: join(folder, 'spillway.db'),
    key: { keyId: '0123456789abcdef', auditKey: new Uint8Array(32).fill(1) },
    clock: systemClock(),
    deadlineMs: 5_000,
  })

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-notify-'))
  store = await open()
  clock = new FakeClock(noon)
  sent = []
})

afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

/** Runs one process: it lives for `live`, and is then gone without a stop; the database is opened anew for the next. */
async function lifetime(live: (notifier: Notifier, tellBus: (seq: number) => void) => Promise<void>): Promise<void> {
  const bus = eventBus((error) => {
    throw error
  })
  const settings = { dedupeMs: 30_000, failover: 'silent' } as const
  const notifier = createNotifier({
    store,
    bus,
    clock,
    log: silentLogger,
    settings,
    channels: [chat],
    host: 'node7',
    timeZone: 'UTC',
  })
  await notifier.start()
  await live(notifier, (seq) => bus.publish({ event: sample('pool_exhausted'), seq, suppressed: 0 }))
  await notifier.flush()
  await store.close()
  store = await open()
}

async function row(event: ReturnType<typeof sample>): Promise<number> {
  const [seq = 0] = await store.commit({ writes: [], audit: [{ event, suppressed: 0 }] })
  return seq
}

describe('over restarts on a real database', () => {
  it('tells once what was written but never announced, and closes it in a later life', async () => {
    await lifetime(async () => {
      await row(sample('cred_failover'))
      await row(sample('pool_exhausted', { at: noon + 1 }))
    })
    expect(sent).toEqual([])
    await lifetime(async () => {})
    await lifetime(async () => {})
    expect(sent).toEqual([
      {
        how: 'send',
        text: 'openai: failed over from work to personal (429 rate limit, until 14:05:00 UTC); nobody was refused. Look: spillway pool explain openai',
      },
      {
        how: 'send',
        text: 'openai is exhausted: all 3 members are cooling. work recovers first, at 14:05:00 UTC (in 5 min). Look: spillway pool explain openai',
      },
    ])
    await lifetime(async () => {
      await row(sample('pool_recovered', { at: noon + 720_000, to: 'work' }))
    })
    sent = []
    await lifetime(async () => {})
    expect(sent).toEqual([
      {
        how: 'edit',
        text: 'openai was exhausted for 12 min, from 14:00:00 to 14:12:00 UTC. 418 requests were refused.',
      },
      { how: 'reply', text: 'openai recovered after 12 min (work is serving). 418 requests were refused.' },
    ])
  })

  it('knows after a restart what it has heard on the bus', async () => {
    await lifetime(async (_notifier, tellBus) => {
      const seq = await row(sample('pool_exhausted'))
      tellBus(seq)
    })
    expect(sent).toHaveLength(1)
    await lifetime(async (notifier) => {
      expect(notifier.incidents()).toMatchObject([
        { record: { kind: 'pool_exhausted', pool: 'openai', closedAt: null, count: 1 } },
      ])
    })
    expect(sent).toHaveLength(1)
    expect((await store.load()).meta['notify.cursor']).toBe('1')
    expect(await store.outbox()).toEqual([])
  })

  it('counts a repeat within the window of the life before', async () => {
    await lifetime(async () => {
      await row(sample('cred_failover'))
    })
    await lifetime(async () => {})
    await clock.advance(10_000)
    await lifetime(async () => {
      await row(sample('cred_failover', { at: noon + 10_000 }))
    })
    await lifetime(async () => {})
    expect(sent).toHaveLength(1)
    expect(await store.incidents()).toMatchObject([{ kind: 'cred_failover', count: 2 }])
  })
})
