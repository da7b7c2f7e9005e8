import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FakeClock, systemClock } from '../clock/clock.ts'
import type { DomainEvent } from '../events/events.ts'
import { openSqliteStore, type Retention, type Store } from '../store/store.ts'
import { auditShape, keepAudit } from './audit.ts'

const minute = 60_000
let folder: string
let store: Store
let clock: FakeClock

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-audit-'))
  clock = new FakeClock()
  const auditKey = new Uint8Array(32).fill(1)
  // Its deadlines are about real I/O and so run on real time.
  store = await openSqliteStore({
    file: join(folder, 'spillway.db'),
    key: { keyId: '0123456789abcdef', auditKey },
    clock: systemClock(),
    deadlineMs: 10_000,
  })
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

function rotated(at: number, to = 'b'): DomainEvent {
  const who = { pool: 'openai', from: 'a', to, reason: 'operator' as const, actor: 'operator:cli' }
  return { kind: 'pool_rotated', at, ...who, detail: { until: at + 5 * minute } }
}

function write(...events: DomainEvent[]): Promise<unknown> {
  return store.commit({ writes: [], audit: events.map((event) => ({ event, suppressed: 0 })) })
}

describe('the shape of a row', () => {
  test('has the fields of the interface, with instants as RFC 3339', async () => {
    await write(rotated(clock.now()))
    const [row] = await store.audit({})
    expect(auditShape(row!)).toEqual({
      seq: 1,
      at: '2026-01-05T14:00:00.000Z',
      kind: 'pool_rotated',
      pool: 'openai',
      from: 'a',
      to: 'b',
      reason: 'operator',
      actor: 'operator:cli',
      suppressed: 0,
      detail: { until: clock.now() + 5 * minute },
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
  })

  test('lets anybody check the chain of an export with SHA-256 and sorted JSON', async () => {
    await write(rotated(clock.now()), rotated(clock.now() + 1, 'ü "quoted"\n'), rotated(clock.now() + 2))
    let previous = '0'.repeat(64)
    for (const row of await store.audit({})) {
      const { hash, ...shown } = JSON.parse(JSON.stringify(auditShape(row)))
      const sorted = JSON.stringify(Object.fromEntries(Object.entries(shown).sort(([a], [b]) => (a < b ? -1 : 1))))
      previous = createHash('sha256')
        .update(previous + sorted)
        .digest('hex')
      expect(hash).toBe(previous)
    }
  })
})

describe('the keeping of the budget', () => {
  const generous: Retention = { maxAgeMs: 1e12, maxRows: 1e6, maxBytes: 1e9 }

  async function numbers(): Promise<number[]> {
    return (await store.audit({})).map(({ seq }) => seq)
  }

  /** Resolves when the store has answered what it was asked before. */
  async function settled(): Promise<void> {
    await store.outbox()
    await new Promise((resolve) => setImmediate(resolve))
  }

  test('removes what is over the budget at once and every ten minutes, by the budget in force', async () => {
    const errors: unknown[] = []
    let retention: Retention = { ...generous, maxRows: 3 }
    await write(...Array.from({ length: 5 }, () => rotated(clock.now())))
    const stop = keepAudit({
      store,
      clock,
      isMine: () => true,
      retention: () => retention,
      onError: (error) => errors.push(error),
    })
    await settled()
    await settled()
    expect(await numbers()).toEqual([3, 4, 5])

    await write(rotated(clock.now() + 9 * minute))
    await clock.advance(9 * minute)
    await settled()
    expect(await numbers()).toEqual([3, 4, 5, 6])

    retention = { ...generous, maxAgeMs: 5 * minute }
    await clock.advance(minute)
    await settled()
    await settled()
    expect(await numbers()).toEqual([6])
    expect(await store.verifyAudit()).toMatchObject({ ok: true, rows: 1 })
    expect(errors).toEqual([])
    stop()
  })

  test('does nothing while another process keeps the budget', async () => {
    let isMine = false
    await write(rotated(clock.now()), rotated(clock.now()))
    const retention = { ...generous, maxRows: 1 }
    const stop = keepAudit({ store, clock, isMine: () => isMine, retention: () => retention, onError: () => {} })
    await settled()
    expect(await numbers()).toEqual([1, 2])
    isMine = true
    await clock.advance(10 * minute)
    await settled()
    await settled()
    expect(await numbers()).toEqual([2])
    stop()
  })

  test('removes nothing any more when it has ended', async () => {
    const retention = { ...generous, maxRows: 1 }
    const stop = keepAudit({ store, clock, isMine: () => true, retention: () => retention, onError: () => {} })
    await settled()
    await write(rotated(clock.now()), rotated(clock.now()))
    stop()
    await clock.advance(60 * minute)
    await settled()
    expect(await numbers()).toEqual([1, 2])
  })

  test('tells of a failure and tries again at its time', async () => {
    const errors: unknown[] = []
    let refusing = true
    const prune: Store['prune'] = async (...budget) => {
      if (refusing) throw new Error('the disk is full')
      return store.prune(...budget)
    }
    await write(rotated(clock.now()), rotated(clock.now()))
    const retention = { ...generous, maxRows: 1 }
    const stop = keepAudit({
      store: { prune },
      clock,
      isMine: () => true,
      retention: () => retention,
      onError: (error) => errors.push(error),
    })
    await settled()
    expect(errors).toEqual([new Error('the disk is full')])
    refusing = false
    await clock.advance(10 * minute)
    await settled()
    await settled()
    expect(await numbers()).toEqual([2])
    expect(errors).toHaveLength(1)
    stop()
  })
})
