import { beforeEach } from 'vitest'
import { FakeClock } from '../../../internal/clock/clock.ts'
import { type Engine, type Finding, type Lease, startEngine, type Turn } from '../../../internal/engine/engine.ts'
import { type Announcement, eventBus } from '../../../internal/events/events.ts'
import type { Outcome } from '../../../internal/pool/pool.ts'
import type { CredentialRecord, PoolRecord } from '../../../internal/store/store.ts'
import { credentialRecord, engineSettings, poolRecord, success } from './records.ts'
import { MemoryStore } from './store.ts'

/** The parts of a test of the engine: the live one, and what it is over. */
export const rig = {
  clock: new FakeClock(),
  store: new MemoryStore(),
  told: [] as Announcement[],
  finding: 'inconclusive' as Finding,
  engine: null as unknown as Engine,
}

/** Makes new parts for each test of the file. */
export function useEngineRig(): void {
  beforeEach(async () => {
    rig.clock = new FakeClock()
    rig.store = new MemoryStore()
    rig.told = []
    rig.finding = 'inconclusive'
    rig.engine = await start()
  })
}

export async function start(): Promise<Engine> {
  const bus = eventBus((error) => {
    throw error
  })
  bus.subscribe((announcement) => rig.told.push(announcement))
  return startEngine({
    store: rig.store,
    bus,
    clock: rig.clock,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    settings: engineSettings,
    defaultBaseUrl: () => 'https://upstream.example',
    prober: () => ({ probe: async () => ({ finding: rig.finding, reason: 'auth-rejected', status: 401 }) }),
    random: () => 0,
    onSuppressed: () => undefined,
  })
}

export async function addMembers(names: readonly string[], change: Partial<CredentialRecord> = {}): Promise<void> {
  for (const name of names) {
    await rig.engine.addCredential(credentialRecord({ name, provider: 'openai', ...change }), [], 'test')
  }
}

export async function createPool(members: readonly string[], change: Partial<PoolRecord> = {}): Promise<void> {
  const record = poolRecord({ name: 'openai', provider: 'openai', upstream: null, ...change })
  const seats = members.map((member) => ({ member, weight: 1 }))
  await rig.engine.createPool(record, seats, 'test')
}

export function begin(model: string | null = null): Turn {
  const pool = rig.engine.find('openai')
  if (!pool) throw new Error('no pool')
  return rig.engine.begin(pool, model)
}

/** The lease of the next member, or the name of what else was decided. */
export function lease(turn: Turn): Lease {
  const decision = turn.next()
  if (decision.kind !== 'lease') throw new Error(`expected a lease, got ${decision.kind}`)
  return decision.lease
}

/** One request as the proxy walks it: returns who served, or what was decided instead. */
export function request(answers: Readonly<Record<string, Outcome>>): string {
  const turn = begin()
  for (;;) {
    const decision = turn.next()
    if (decision.kind !== 'lease') {
      if (decision.kind === 'exhausted') turn.refused(decision)
      turn.end()
      return decision.kind
    }
    const outcome = answers[decision.lease.member] ?? success
    turn.report(outcome)
    if (outcome.kind === 'success') {
      turn.end()
      return decision.lease.member
    }
  }
}

export const kinds = () =>
  rig.store.rows.map((row) => row.kind).filter((kind) => !kind.startsWith('cred_added') && kind !== 'pool_changed')
export const rowsOf = (kind: string) => rig.store.rows.filter((row) => row.kind === kind)
