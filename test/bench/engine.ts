/** What the engine costs by itself: selection in pools of any size, and transitions with durable writes. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../internal/clock/clock.ts'
import { type Engine, startEngine } from '../../internal/engine/engine.ts'
import { eventBus } from '../../internal/events/events.ts'
import { silentLogger } from '../../internal/log/log.ts'
import type { Outcome } from '../../internal/pool/pool.ts'
import { openSqliteStore, type Store } from '../../internal/store/store.ts'
import { credentialRecord, engineSettings, limited, poolRecord, success } from '../fakes/rig/records.ts'
import { MemoryStore } from '../fakes/rig/store.ts'
import { type Finding, pairedRatio, type Spread, saidSpread, spreadOf } from './finding.ts'

const briefly: Outcome = { ...limited, forMs: 1 }

async function engineWith(store: Store, members: number): Promise<Engine> {
  const engine = await startEngine({
    store,
    bus: eventBus(() => undefined),
    clock: systemClock(),
    log: silentLogger,
    settings: { ...engineSettings, dedupeMs: 0 },
    defaultBaseUrl: () => 'https://upstream.example',
    prober: () => ({ probe: async () => ({ finding: 'inconclusive', reason: 'ok', status: null }) }),
    random: Math.random,
    onSuppressed: () => undefined,
  })
  const names = Array.from({ length: members }, (_, at) => `m${at}`)
  await Promise.all(
    names.map((name) => engine.addCredential(credentialRecord({ name, provider: 'openai' }), [], 'bench')),
  )
  const seats = names.map((member) => ({ member, weight: 1 }))
  await engine.createPool(poolRecord({ name: 'p', provider: 'openai', upstream: null }), seats, 'bench')
  return engine
}

function request(engine: Engine, outcome: Outcome): void {
  const pool = engine.find('p')
  if (!pool) return
  const turn = engine.begin(pool, null)
  const decision = turn.next()
  if (decision.kind === 'lease') {
    turn.report(outcome)
  }
  turn.end()
}

/** What selection and transitions cost, without a proxy around them. */
export async function engine(rounds: number): Promise<Finding> {
  const selection = await selectionMicros([10, 1_000, 10_000, 100_000], rounds)
  const transitions = await transitionsPerSecond()
  const sizes = selection.map(({ members, micros }) => `${members} members ${saidSpread(micros)} µs`)
  const { waiting, flowing } = transitions
  return {
    lines: [
      `Selection and report: ${sizes.join(', ')}`,
      `Durable transitions: ${Math.round(waiting)}/s one by one, ${Math.round(flowing)}/s flowing`,
    ],
    facts: { selection, transitions },
    targets: [
      { name: 'selection, 100,000 ÷ 10 members', value: selection.at(-1)?.ratio.median ?? Number.NaN, atMost: 2 },
    ],
  }
}

/** µs for one request's lease, report and release in pools of those many members, in turn, and over the first one's. */
async function selectionMicros(
  sizes: readonly number[],
  rounds: number,
): Promise<{ members: number; micros: Spread; ratio: Spread }[]> {
  const pools: { members: number; engine: Engine; micros: number[] }[] = []
  for (const members of sizes) {
    const engine = await engineWith(new MemoryStore(), members)
    for (let i = 0; i < 50_000; i++) request(engine, success)
    pools.push({ members, engine, micros: [] })
  }
  for (let round = 0; round < rounds; round++) {
    for (const { engine, micros } of pools) micros.push(timed(engine, 50_000))
  }
  const first = pools[0]?.micros ?? []
  return pools.map(({ members, micros }) => ({ members, micros: spreadOf(micros), ratio: pairedRatio(micros, first) }))
}

/** µs per request over that many of them. */
function timed(engine: Engine, requests: number): number {
  const started = performance.now()
  for (let i = 0; i < requests; i++) request(engine, success)
  return ((performance.now() - started) * 1_000) / requests
}

/** State transitions per second that are durable in SQLite, one after the other and as fast as they come. */
async function transitionsPerSecond(): Promise<{ waiting: number; flowing: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'spillway-bench-'))
  const file = join(folder, 'spillway.db')
  const store = await openSqliteStore({
    file,
    key: { keyId: '0123456789abcdef', auditKey: new Uint8Array(32) },
    clock: systemClock(),
    deadlineMs: 5_000,
  })
  try {
    const engine = await engineWith(store, 1_000)
    const one = async (count: number, flush: boolean): Promise<number> => {
      const started = performance.now()
      for (let i = 0; i < count; i++) {
        request(engine, briefly)
        if (flush) await engine.flush()
      }
      await engine.flush()
      return count / ((performance.now() - started) / 1_000)
    }
    return { waiting: await one(300, true), flowing: await one(500, false) }
  } finally {
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
