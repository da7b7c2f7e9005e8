import type { DomainEvent } from '../../internal/events/events.ts'
import type { Cooling } from '../../internal/pool/pool.ts'
import type {
  CredentialRecord,
  CredentialState,
  IncidentRecord,
  OutboxRecord,
  PoolRecord,
  SeatRecord,
  SecretRecord,
  Snapshot,
  Store,
  Write,
} from '../../internal/store/store.ts'
import type { Sealed } from '../../internal/vault/vault.ts'

/** The instant that the samples are about: 2026-01-05 14:00 UTC. */
export const at = 1_767_621_600_000

const cooling: Cooling = {
  state: 'cooling',
  reason: 'quota',
  since: at,
  until: at + 60_000,
  probeAt: at + 30_000,
  strikes: 2,
}

export function credential(id: string, change: Partial<CredentialRecord> = {}): CredentialRecord {
  const plain = { baseUrl: null, domain: null, header: null, source: { kind: 'vault' }, auth: 'api-key' } as const
  return { id, name: id, provider: 'openai', ...plain, createdAt: at, ...change }
}

export function state(id: string, generation: number): CredentialState {
  return { id, generation, health: cooling, scoped: [['opus', cooling]] }
}

export function pool(name: string): PoolRecord {
  const unset = { upstream: null, maxWaitMs: null, onExhausted: null, preemptAt: null, affinity: null, probePath: null }
  return { name, provider: 'openai', strategy: 'sticky', ...unset, createdAt: at }
}

export function seat(of: string, credentialId: string): SeatRecord {
  return { pool: of, credentialId, epoch: 1, position: 1, weight: 1, tier: 1, maxInFlight: null, caps: {}, park: null }
}

export function sealed(owner: string, field = 'secret'): SecretRecord {
  return { owner, field, generation: 1, sealed: `v1.0123456789abcdef.${owner}-${field}` as Sealed }
}

export function cooled(from: string, change: object = {}): DomainEvent {
  const detail = { until: at + 60_000, scope: 'member' as const, model: null, status: 429 }
  const who = { pool: 'openai', from, to: null, reason: 'rate-limited' as const, actor: 'spillway' }
  return { kind: 'cred_cooled', at, ...who, detail, ...change }
}

interface Sample {
  readonly writes: readonly Write[]
  readonly snapshot: Snapshot
  readonly incidents: readonly IncidentRecord[]
  readonly outbox: readonly OutboxRecord[]
  readonly refreshState: Awaited<ReturnType<Store['refreshState']>>
}

/** One record of each kind, and the writes that make them. */
function sampleOf(parts: Omit<Sample, 'writes'>): Sample {
  const { snapshot, incidents, outbox, refreshState } = parts
  const writes: Write[] = [
    ...snapshot.credentials.map((row) => ({ put: 'credential' as const, row })),
    ...snapshot.states.map((row) => ({ put: 'credential-state' as const, row })),
    ...snapshot.pools.map((row) => ({ put: 'pool' as const, row })),
    ...snapshot.poolStates.map((row) => ({ put: 'pool-state' as const, row })),
    ...snapshot.seats.map((row) => ({ put: 'seat' as const, row })),
    ...snapshot.domains.map((row) => ({ put: 'domain' as const, row })),
    ...snapshot.hosts.map((row) => ({ put: 'host' as const, row })),
    ...snapshot.keys.map((row) => ({ put: 'key' as const, row })),
    ...snapshot.secrets.map((row) => ({ put: 'secret' as const, row })),
    ...snapshot.suppressed.map((row) => ({ put: 'suppressed' as const, ...row })),
    ...Object.entries(snapshot.meta).map(([name, value]) => ({ put: 'meta' as const, name, value })),
    ...incidents.map((row) => ({ put: 'incident' as const, row })),
    ...outbox.map((row) => ({ put: 'outbox' as const, row })),
    ...(refreshState.row ? [{ put: 'refresh' as const, row: refreshState.row, expected: null }] : []),
  ]
  return { ...parts, writes }
}

const fullSecrets = [sealed('c1', 'access_token'), sealed('c1', 'refresh_token')]

/** Every field filled, every union in its fullest form. */
export const full = sampleOf({
  snapshot: {
    credentials: [
      credential('c1', {
        name: 'work',
        provider: 'codex',
        baseUrl: 'https://api.example.com',
        domain: 'org-1',
        header: 'x-key',
        source: { kind: 'file', path: '/home/u/auth.json', format: 'codex' },
        auth: 'oauth',
        oauth: { login: 'oauth', tokenUrl: 'https://t', clientId: 'i', clientSecretFile: '/f', scope: 's' },
      }),
    ],
    states: [
      {
        id: 'c1',
        generation: 7,
        health: { state: 'probing', lease: 12, leaseUntil: at + 5, was: cooling },
        scoped: [
          ['opus', cooling],
          ['gemini-2.5-pro', { ...cooling, reason: 'model-quota' }],
        ],
      },
    ],
    pools: [
      {
        name: 'p1',
        provider: 'codex',
        upstream: 'http://127.0.0.1:1',
        strategy: 'weighted',
        maxWaitMs: 1_500,
        onExhausted: 'degrade',
        preemptAt: 0.05,
        affinity: 'conversation',
        probePath: '/v1/models',
        createdAt: at,
      },
    ],
    poolStates: [
      {
        name: 'p1',
        active: 'c1',
        exhausted: { since: at, told: true },
        backup: { tier: 2, since: at, lastAt: at, served: 3, helpsOut: false },
      },
    ],
    seats: [
      {
        pool: 'p1',
        credentialId: 'c1',
        epoch: 3,
        position: 2,
        weight: 10,
        tier: 2,
        maxInFlight: 4,
        caps: { '7d': 60.5 },
        park: { until: at + 300_000, by: 'operator:telegram:42', since: at },
      },
    ],
    domains: [{ name: 'org-1', health: { state: 'disabled', reason: 'billing', since: at, by: 'upstream' } }],
    hosts: [{ host: 'api.openai.com:443', failures: 3, since: at, nextAttemptAt: at + 4_000 }],
    keys: [{ id: 'k1', name: 'agent', digest: 'ab'.repeat(32), pools: ['p1', 'p2'], createdAt: at, revokedAt: at + 1 }],
    secrets: [...fullSecrets, sealed('key:k1')],
    suppressed: [{ signal: 'cred_cooled|p1|c1||quota', count: 41, at }],
    meta: { cursor: '17' },
  },
  incidents: [
    {
      id: 'i1',
      kind: 'pool_exhausted',
      pool: 'p1',
      subject: 'work',
      reason: 'quota',
      openedAt: at,
      closedAt: at + 9,
      count: 100,
      state: { telegram: { 42: 7 } },
    },
  ],
  outbox: [
    {
      id: 'o1',
      channel: 'telegram',
      incident: 'i1',
      body: { text: 'p1 is exhausted', buttons: [] },
      createdAt: at,
      attempts: 2,
      nextAttemptAt: at + 8_000,
    },
  ],
  refreshState: {
    row: {
      id: 'c1',
      generation: 7,
      intent: { digest: 'd', startedAt: at, presented: 1 },
      refused: { digest: 'e', at, reason: 'refresh-rejected' },
      failures: 2,
      nextAttemptAt: at + 60_000,
    },
    secrets: fullSecrets,
  },
})

/** Every field that may be empty is empty. */
export const bare = sampleOf({
  snapshot: {
    credentials: [credential('c1')],
    states: [{ id: 'c1', generation: 0, health: { state: 'healthy', since: 0 }, scoped: [] }],
    pools: [pool('p1')],
    poolStates: [{ name: 'p1', active: null, exhausted: null }],
    seats: [seat('p1', 'c1')],
    domains: [{ name: '', health: { state: 'healthy', since: 0 } }],
    hosts: [{ host: 'h', failures: 0, since: 0, nextAttemptAt: 0 }],
    keys: [{ id: 'k1', name: 'agent', digest: '', pools: null, createdAt: 0, revokedAt: null }],
    secrets: [],
    suppressed: [{ signal: '', count: 0, at: 0 }],
    meta: { empty: '' },
  },
  incidents: [
    {
      id: 'i1',
      kind: 'k',
      pool: null,
      subject: null,
      reason: null,
      openedAt: 0,
      closedAt: null,
      count: 0,
      state: {},
    },
  ],
  outbox: [{ id: 'o1', channel: 'c', incident: 'i1', body: {}, createdAt: 0, attempts: 0, nextAttemptAt: 0 }],
  refreshState: {
    row: { id: 'c1', generation: 0, intent: null, refused: null, failures: 0, nextAttemptAt: 0 },
    secrets: [],
  },
})
