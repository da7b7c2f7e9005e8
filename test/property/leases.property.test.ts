import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Cancel, type Clock, FakeClock } from '../../internal/clock/clock.ts'
import { Replicas } from '../../internal/fleet/fleet.ts'
import { silentLogger } from '../../internal/log/log.ts'
import { MemoryFleet } from '../fakes/rig/memory-fleet.ts'
import { type Act, faultsOfHistory } from '../support/lease-history.ts'

describe('a history of acts under a lease', () => {
  const act = (at: number, who: string, generation: number): Act => ({ at, who, generation })
  const table: readonly (readonly [what: string, history: readonly Act[], faults: number])[] = [
    ['nothing was done', [], 0],
    ['one after the other', [act(1, 'a', 1), act(2, 'a', 1), act(3, 'b', 2), act(4, 'a', 3)], 0],
    ['recorded out of turn', [act(3, 'b', 2), act(1, 'a', 1)], 0],
    ['the old holder acts once more', [act(1, 'a', 1), act(2, 'b', 2), act(3, 'a', 1)], 1],
    ['two holders of one generation', [act(1, 'a', 1), act(2, 'b', 1)], 1],
  ]
  it.each(table)('%s', (_what, history, faults) => {
    expect(faultsOfHistory(history)).toHaveLength(faults)
  })
})

/** The clock of a process that can be stopped: it goes on, and its timers wait. */
class StoppableClock implements Clock {
  readonly #clock: FakeClock
  #waiting: (() => void)[] | null = null

  constructor(clock: FakeClock) {
    this.#clock = clock
  }

  now(): number {
    return this.#clock.now()
  }

  mono(): number {
    return this.#clock.mono()
  }

  after(delayMs: number, run: () => void): Cancel {
    return this.#clock.after(delayMs, () => {
      if (this.#waiting) this.#waiting.push(run)
      else run()
    })
  }

  get isStopped(): boolean {
    return this.#waiting !== null
  }

  stop(): void {
    this.#waiting ??= []
  }

  goOn(): void {
    const waiting = this.#waiting ?? []
    this.#waiting = null
    for (const run of waiting) run()
  }
}

describe('F38: replicas that are stopped, and cut off from their store', () => {
  it('never act under a lease that another one has taken, and one of them leads in the end', async () => {
    const who = fc.nat(2)
    const step = fc.oneof(
      fc.record({ do: fc.constantFrom('cut', 'heal', 'stop', 'go on'), who }),
      fc.record({ do: fc.constant('wait'), who: fc.integer({ min: 1, max: 12 }) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const time = new FakeClock()
        const fleet = new MemoryFleet(time)
        const history: Act[] = []
        const replicas = ['one', 'two', 'three'].map((name) => {
          const clock = new StoppableClock(time)
          const store = fleet.open(name)
          return { name, clock, fleet: new Replicas({ store, shared: store.shared, clock, log: silentLogger }) }
        })
        for (const replica of replicas) await replica.fleet.start({ begin: () => {}, end: () => {}, heard: () => {} })
        const act = () => {
          for (const { name, clock, fleet: each } of replicas) {
            const lease = each.lease()
            if (!clock.isStopped && each.leads() && lease)
              history.push({ at: time.now(), who: name, generation: lease.generation })
          }
        }
        const pass = async (seconds: number) => {
          for (let half = 0; half < seconds * 2; half++) {
            await time.advance(500)
            act()
          }
        }
        for (const each of steps) {
          const replica = replicas[each.who]
          if (each.do === 'wait') await pass(each.who)
          else if (!replica) continue
          else if (each.do === 'stop') replica.clock.stop()
          else if (each.do === 'go on') {
            replica.clock.goOn()
            act()
          } else fleet.cut(replica.name, each.do === 'cut')
        }
        for (const { name, clock } of replicas) {
          clock.goOn()
          fleet.cut(name, false)
        }
        act()
        await pass(20)
        expect(faultsOfHistory(history)).toEqual([])
        expect(replicas.filter((each) => each.fleet.leads())).toHaveLength(1)
      }),
      { numRuns: 1_000 },
    )
  }, 60_000)
})
