import { beforeEach, describe, expect, test } from 'vitest'
import type { UsageSample } from '../../internal/store/store.ts'
import type { Bench } from './bench.ts'
import { at, credential } from './samples.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

function sample(credentialId: string, change: Partial<UsageSample> = {}): UsageSample {
  const window = { window: '5h', usedPercent: 41.5, resetAt: at + hourMs, seenAt: at, source: 'headers' } as const
  const work = [{ pool: 'openai', key: 'ci', requests: 3, percent: 0.5 }]
  return { credentialId, at, writer: '', windows: [window], work, ...change }
}

/** What a Store keeps of limits. */
export function limitsContract(bench: Bench): void {
  describe('samples of limits', () => {
    const put = (...samples: UsageSample[]) =>
      bench.write(...samples.map((row) => ({ put: 'usage-sample', row }) as const))
    const kept = async () => (await bench.store.usageSamples({ after: 0 })).map((one) => (one.at - at) / minuteMs)
    const generous = { finestMs: 48 * hourMs, maxAgeMs: 720 * hourMs, maxBytes: 1e9 }

    beforeEach(() => bench.write({ put: 'credential', row: credential('c1') }))

    test('are kept as they were written, oldest first, the last of one time', async () => {
      await put(sample('c2'), sample('c1', { at: at + 5 * minuteMs }), sample('c1'), sample('c1', { work: [] }))
      await bench.reopen()
      const all = [sample('c1', { work: [] }), sample('c2'), sample('c1', { at: at + 5 * minuteMs })]
      expect(await bench.store.usageSamples({ after: 0 })).toEqual(all)
      expect(await bench.store.usageSamples({ after: at })).toEqual(all.slice(2))
      expect(await bench.store.usageSamples({ latest: true })).toEqual(all.slice(1))
    })

    test('of several writers stand beside one another', async () => {
      await put(sample('c1', { writer: 'r1' }), sample('c1', { writer: 'r2' }))
      expect((await bench.store.usageSamples({ after: 0 })).map(({ writer }) => writer)).toEqual(['r1', 'r2'])
    })

    test('go with their credential', async () => {
      await put(sample('c1'), sample('c2'))
      await bench.write({ drop: 'credential', id: 'c1' })
      expect((await bench.store.usageSamples({ after: 0 })).map(({ credentialId }) => credentialId)).toEqual(['c2'])
    })

    test('are thinned to the last of each hour when they are old, and end with their age', async () => {
      await put(...[0, 5, 55, 60, 65, 180].map((minute) => sample('c1', { at: at + minute * minuteMs })))
      await put(sample('c2', { at: at + 5 * minuteMs }))
      expect(await bench.store.thinSamples(at + 51 * hourMs, generous)).toBe(3)
      expect(await kept()).toEqual([5, 55, 65, 180])
      expect(await bench.store.thinSamples(at + 721 * hourMs, generous)).toBe(2)
      expect(await kept()).toEqual([65, 180])
    })

    test('stay within their bytes, the newest first', async () => {
      await put(...[0, 5, 10].map((minute) => sample('c1', { at: at + minute * minuteMs })))
      expect(await bench.store.thinSamples(at, { ...generous, maxBytes: 600 })).toBe(1)
      expect(await kept()).toEqual([5, 10])
      expect(await bench.store.thinSamples(at, { ...generous, maxBytes: 0 })).toBe(2)
    })
  })
}
