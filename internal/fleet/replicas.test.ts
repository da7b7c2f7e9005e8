import { beforeEach, describe, expect, test } from 'vitest'
import { MemoryFleet } from '../../test/fakes/rig/memory-fleet.ts'
import { credentialRecord } from '../../test/fakes/rig/records.ts'
import { FakeClock } from '../clock/clock.ts'
import { silentLogger } from '../log/log.ts'
import type { Changes, Write } from '../store/store.ts'
import { Replicas } from './fleet.ts'

let clock: FakeClock
let fleet: MemoryFleet

beforeEach(() => {
  clock = new FakeClock()
  fleet = new MemoryFleet(clock)
})

/** One replica, and what it did. */
async function replica(name: string) {
  const store = fleet.open(name)
  const replicas = new Replicas({ store, shared: store.shared, clock, log: silentLogger })
  const did: string[] = []
  const heard: Changes[] = []
  replicas.follow(
    {
      take: async (changes) => void heard.push(changes),
      whole: async () => void did.push('whole'),
      told: () => {},
      reachable: (isReachable) => void did.push(isReachable ? 'back' : 'away'),
    },
    fleet.number,
  )
  replicas.present({ name, version: '1.2.3', startedAt: clock.now() })
  await replicas.start({
    begin: () => void did.push('begin'),
    end: () => void did.push('end'),
    heard: () => void did.push('heard'),
  })
  return { name, replicas, did, heard, store }
}

const write: Write = { put: 'credential', row: credentialRecord({ name: 'work', provider: 'openai' }) }

describe('who leads', () => {
  test('is one of them, and another within 15 s after it is gone without a word', async () => {
    const one = await replica('one')
    const two = await replica('two')
    expect([one.replicas.leads(), two.replicas.leads()]).toEqual([true, false])
    await clock.advance(60_000)
    expect([one.did.includes('end'), two.did.includes('begin')]).toEqual([false, false])
    // Cut off as a machine is whose network is gone.
    fleet.cut('one', true)
    await clock.advance(15_000)
    expect([one.replicas.leads(), two.replicas.leads()]).toEqual([false, true])
    expect(one.replicas.ledBefore()).toBe(true)
    fleet.cut('one', false)
    await clock.advance(6_000)
    expect(one.did.filter((what) => what !== 'heard')).toEqual(['begin', 'away', 'back', 'end'])
    expect([one.replicas.ledBefore(), one.replicas.lease()]).toEqual([false, null])
  })

  test('is another one at once when it stops', async () => {
    const one = await replica('one')
    const two = await replica('two')
    await one.replicas.stop()
    expect(one.did).toContain('end')
    await clock.advance(3_000)
    expect(two.replicas.leads()).toBe(true)
    expect(await two.replicas.replicas()).toMatchObject([{ name: 'two', version: '1.2.3', draining: false }])
  })

  test('does nothing with its old lease after it has stood still for a minute', async () => {
    const one = await replica('one')
    const lease = one.replicas.lease()
    const hold = await one.replicas.hold('refresh:work')
    // Timers of a stopped process do not run: its clock goes on all the same.
    const frozen = new FakeClock(clock.now())
    const asleep = new Replicas({ ...one, shared: one.store.shared, clock: frozen, log: silentLogger })
    const slept = await asleep.hold('refresh:home')
    expect(slept?.isOurs()).toBe(true)
    Object.assign(frozen, { mono: () => 60_000 })
    expect(slept?.isOurs()).toBe(false)
    expect(hold?.isOurs()).toBe(true)
    await clock.advance(30_000)
    expect(hold?.isOurs()).toBe(true)
    await expect(fleet.open('two').shared.commit({ writes: [write], audit: [], fence: lease! })).resolves.toBeDefined()
    await expect(
      fleet.open('two').shared.commit({ writes: [write], audit: [], fence: { ...lease!, generation: 0 } }),
    ).rejects.toThrow('not current')
  })

  test('is another one when the duties of the first cannot begin', async () => {
    const store = fleet.open('ill')
    const ill = new Replicas({ store, shared: store.shared, clock, log: silentLogger })
    const fail = () => {
      throw new Error('no')
    }
    await ill.start({ begin: fail, end: fail, heard: () => {} })
    expect(ill.leads()).toBe(false)
    expect((await replica('two')).replicas.leads()).toBe(true)
  })
})

describe('what is done once', () => {
  test("is one replica's until it gives it back", async () => {
    const one = await replica('one')
    const two = await replica('two')
    const hold = await one.replicas.hold('job')
    expect(await two.replicas.hold('job')).toBeNull()
    await clock.advance(60_000)
    expect(await two.replicas.hold('job')).toBeNull()
    await hold?.release()
    expect((await two.replicas.hold('job'))?.lease.generation).toBe(2)
    expect(hold?.isOurs()).toBe(false)
  })

  test('a member is tested by one of them, and by whoever asks while nobody can say', async () => {
    const [one, two] = [await replica('one'), await replica('two')]
    expect(await one.replicas.rights.take('work')).toBe(true)
    expect(await two.replicas.rights.take('work')).toBe(false)
    one.replicas.rights.give('work')
    await clock.advance(1)
    expect(await two.replicas.rights.take('work')).toBe(true)
    fleet.cut('one', true)
    expect(await one.replicas.rights.take('work')).toBe(true)
  })
})

describe('what others change', () => {
  test('is heard at once, and found by a sweep where the word was lost', async () => {
    const [one, two] = [await replica('one'), await replica('two')]
    await one.store.commit({ writes: [write], audit: [] })
    await clock.advance(1)
    expect(two.heard.map(({ writes }) => writes)).toEqual([[write]])
    fleet.notifies = false
    await one.store.commit({ writes: [{ drop: 'credential', id: 'id-work' }], audit: [] })
    await clock.advance(5_001)
    expect(two.heard.at(-1)?.writes).toEqual([{ drop: 'credential', id: 'id-work' }])
    expect(one.heard.flatMap(({ writes }) => writes)).toEqual([])
    await two.store.commit({ writes: [write], audit: [] })
    await clock.advance(5_001)
    expect(one.did).toContain('heard')
  })
})

test('a replica that drains says so, and one that is gone is not listed', async () => {
  const [one, two] = [await replica('one'), await replica('two')]
  await two.replicas.drain()
  expect(await one.replicas.replicas()).toMatchObject([
    { name: 'one', draining: false },
    { name: 'two', draining: true },
  ])
  fleet.cut('two', true)
  await clock.advance(21_000)
  expect((await one.replicas.replicas()).map(({ name }) => name)).toEqual(['one'])
})
