import { beforeEach, describe, expect, it } from 'vitest'
import {
  addMembers,
  begin,
  createPool,
  lease,
  request,
  rig,
  rowsOf,
  useEngineRig,
} from '../../../test/fakes/rig/engine.ts'
import { limited, success } from '../../../test/fakes/rig/records.ts'
import type { Lease, LivePool } from '../engine.ts'

useEngineRig()

describe('the queue of waiting requests', () => {
  beforeEach(async () => {
    await addMembers(['a'])
    await createPool(['a'])
  })

  it('holds a request until the cooldown is over and sends it as the probe', async () => {
    request({ a: { ...limited, until: rig.clock.now() + 5_000 } })
    const turn = begin()
    const held = turn.hold(new AbortController().signal)
    await rig.clock.advance(6_000)
    await expect(held).resolves.toMatchObject({ kind: 'lease', lease: { member: 'a', role: 'probe' } })
  })

  it('does not hold when recovery is farther away than maxWaitMs', async () => {
    request({ a: { ...limited, until: rig.clock.now() + 11_000 } })
    await expect(begin().hold(new AbortController().signal)).resolves.toMatchObject({ kind: 'exhausted' })
  })

  it('sends one probe for 1,000 waiters and lets the others go after its success', async () => {
    request({ a: { ...limited, until: rig.clock.now() + 5_000 } })
    const leases: Lease[] = []
    const turns = Array.from({ length: 1_000 }, () => begin())
    for (const turn of turns) {
      void turn.hold(new AbortController().signal).then((decision) => {
        if (decision.kind === 'lease') leases.push(decision.lease)
      })
    }
    await rig.clock.advance(6_000)
    expect(leases).toHaveLength(1)
    const answered = new Set<Lease>()
    for (let round = 0; round < 12 && answered.size < 1_000; round++) {
      for (const lease of leases) {
        if (answered.has(lease)) continue
        answered.add(lease)
        const turn = turns.find((candidate) => candidate.leases[0] === lease)
        if (turn) turn.report(success)
      }
      await rig.clock.advance(0)
    }
    expect(answered.size).toBe(1_000)
  })

  it('lets a waiter go with the exhaustion at its deadline', async () => {
    request({ a: { ...limited, until: rig.clock.now() + 5_000 } })
    const probe = begin()
    await rig.clock.advance(5_000)
    lease(probe)
    const held = begin().hold(new AbortController().signal)
    await rig.clock.advance(10_250)
    await expect(held).resolves.toMatchObject({ kind: 'exhausted' })
  })
})

describe('a request that is turned away at once', () => {
  const turnAway = () => rig.engine.turnAway(rig.engine.find('openai') as LivePool)

  beforeEach(async () => {
    await addMembers(['a', 'b'])
    await createPool(['a', 'b'])
  })

  it('hears what a walk would, and counts like one', async () => {
    expect(turnAway()).toBeNull()
    expect(request({ a: limited, b: limited })).toBe('exhausted')
    expect(turnAway()).toEqual(begin().next())
    request({})
    expect(rig.engine.pool('openai')?.incident).toMatchObject({ refused: 3 })
    await rig.engine.flush()
    expect(rowsOf('pool_exhausted')).toHaveLength(1)
  })

  it('is looked at as soon as a member may serve: by its time, by an operator, or because it has joined', async () => {
    request({ a: limited, b: { ...limited, until: rig.clock.now() + 90_000 } })
    await rig.clock.advance(50_000)
    // Within maxWaitMs now: it may wait in the queue.
    expect(turnAway()).toBeNull()
    await rig.clock.advance(10_000)
    expect(turnAway()).toBeNull()
    request({ a: limited })
    expect(turnAway()).not.toBeNull()
    await rig.engine.clear('openai', 'b', 'operator:cli')
    expect(turnAway()).toBeNull()
    request({ b: limited })
    await addMembers(['c'])
    await rig.engine.addMember('openai', 'c', { position: null, weight: 1 }, 'test')
    expect(turnAway()).toBeNull()
  })

  it('may still be served by a pool that degrades, or where it depends on the model', async () => {
    request({ a: limited, b: limited })
    await rig.engine.changePool('openai', { onExhausted: 'degrade' }, 'test')
    expect(turnAway()).toBeNull()
    await rig.engine.changePool('openai', { onExhausted: 'reject' }, 'test')
    expect(turnAway()).not.toBeNull()
    await rig.engine.clear('openai', 'a', 'operator:cli')
    request({ a: { ...limited, scope: 'model', model: 'opus' }, b: limited })
    expect(turnAway()).toBeNull()
  })

  it('is none of a pool that has been emptied meanwhile', async () => {
    request({ a: limited, b: limited })
    for (const member of ['a', 'b']) await rig.engine.dropMember('openai', member, 'test')
    expect([turnAway(), begin().next()]).toEqual([null, { kind: 'empty' }])
  })

  it('is not one before the exhaustion has been told', async () => {
    request({ a: limited, b: limited })
    await rig.engine.clear('openai', 'a', 'operator:cli')
    request({ a: limited })
    expect(turnAway()).toBeNull()
  })
})
