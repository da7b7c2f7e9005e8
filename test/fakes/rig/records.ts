/** Records, settings and outcomes as most tests want them. */
import type { EngineSettings } from '../../../internal/engine/engine.ts'
import type { Outcome } from '../../../internal/pool/pool.ts'
import type { CredentialRecord, PoolRecord } from '../../../internal/store/store.ts'

/** A credential that is kept in the vault, with an API key unless something else is said. */
export function credentialRecord(
  given: Pick<CredentialRecord, 'name' | 'provider'> & Partial<CredentialRecord>,
): CredentialRecord {
  const usual = { baseUrl: null, domain: null, header: null, source: { kind: 'vault' }, auth: 'api-key' } as const
  return { id: `id-${given.name}`, createdAt: 0, ...usual, ...given }
}

/** A pool that stays with one member and follows the general settings. */
export function poolRecord(
  given: Pick<PoolRecord, 'name' | 'provider' | 'upstream'> & Partial<PoolRecord>,
): PoolRecord {
  const general = { maxWaitMs: null, onExhausted: null, preemptAt: null, affinity: null, probePath: null } as const
  return { strategy: 'sticky', createdAt: 0, ...general, ...given }
}

/** The engine's defaults. */
export const engineSettings: EngineSettings = {
  cooldown: {
    rateLimitedMs: 60_000,
    authMs: 300_000,
    maxMs: 1_800_000,
    parkMs: 300_000,
    earlyProbeMs: 900_000,
    farProbeMs: 21_600_000,
  },
  maxWaitMs: 10_000,
  onExhausted: 'reject',
  preemptAt: null,
  affinity: 'none',
  rampPerSecond: 4,
  dedupeMs: 30_000,
  headMs: 900_000,
  look: { mode: 'cooling', everyMs: 900_000 },
  zoneMs: () => 0,
}

/** What an answer means that is well. */
export const success: Outcome = {
  kind: 'success',
  reason: 'ok',
  status: 200,
  evidence: 'strong',
  scope: 'member',
  model: null,
  until: null,
  forMs: null,
  cools: true,
}

/** An upstream's 429 without a hint. */
export const limited: Outcome = { ...success, kind: 'rate-limited', reason: 'rate-limited', status: 429 }

/** A key that the upstream does not take. */
export const rejected: Outcome = { ...success, kind: 'auth-rejected', reason: 'auth-rejected', status: 401 }
