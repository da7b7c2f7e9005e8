import type { Announcement, Details, DomainEvent, EventKind } from '../../internal/events/events.ts'

/** 2026-01-05 14:00 UTC, when the FakeClock begins. */
export const noon = Date.UTC(2026, 0, 5, 14, 0, 0)

const details: Details = {
  cred_failover: { until: noon + 300_000, status: 429 },
  pool_exhausted: {
    retryAt: noon + 300_000,
    members: 3,
    needsPerson: false,
    first: 'work',
    why: { work: 'cooling', personal: 'cooling', spare: 'cooling' },
  },
  pool_recovered: { exhaustedAt: noon, refused: 418 },
  backup_serves: { tier: 2, first: 1, until: noon + 8_700_000, helpsOut: false },
  backup_over: { tier: 2, first: 1, since: noon, served: 312 },
  pool_runs_dry: {
    dryAt: noon + 72 * 3_600_000,
    reliefAt: noon + 91 * 3_600_000,
    reliefMember: 'work',
    burner: { key: 'ci', share: 0.62 },
  },
  pool_lasts: { isKnown: true },
  cred_reset: { until: noon + 120 * 3_600_000, window: '7d' },
  pool_rotated: { until: noon + 300_000 },
  member_parked: { until: null },
  member_unparked: {},
  member_cleared: {},
  cred_cooled: { until: noon + 300_000, scope: 'member', model: null, status: 429 },
  cred_suspect: { until: noon + 300_000, status: 401 },
  cred_needs_login: { remedy: { verb: 'login', name: 'personal' } },
  cred_expiring: { endsAt: noon + 30 * 86_400_000, days: 30, kept: true },
  cred_unreadable: { remedy: { verb: 'show', name: 'personal' } },
  cred_revived: { how: 'login' },
  cred_replaced: { source: 'env' },
  cred_disabled: { by: 'upstream' },
  cred_account_changed: { before: 'me@example.com', after: 'other@example.com' },
  cred_added: { provider: 'openai' },
  cred_removed: {},
  pool_changed: { what: 'strategy' },
  key_created: { pools: null },
  key_revoked: {},
  master_key_rotated: { before: '0011223344556677', after: '8899aabbccddeeff' },
  keys_guessed: { attempts: 5 },
  token_issued: {},
  config_changed: { what: 'log.level' },
  config_rejected: { problems: ['spillway.yaml:3: server.listen: no such address'] },
  egress_blocked: { status: 403 },
  weak_storm: { members: 6, until: noon + 60_000 },
  host_down: { host: 'api.openai.com:443', nextAttemptAt: noon + 60_000 },
  host_up: { host: 'api.openai.com:443', downAt: noon },
  store_trouble: { what: 'the disk is full' },
  store_healed: {},
  worker_started: { pending: 3, code: 0 },
  worker_stopped: { path: '/srv/jobs', code: 0 },
  worker_refused: { pending: 3 },
  worker_down: { pending: 214, since: noon },
  worker_up: { downAt: noon },
  path_recovered: { path: '/srv/jobs', steps: ['unmount'] },
  path_recovery_failed: { path: '/srv/jobs', step: 'unmount', said: null },
  path_unrecovered: { path: '/srv/jobs', state: 'stale', since: noon },
  path_readable: { path: '/srv/jobs', since: noon },
  budget_pruned: { path: '/srv/dumps', files: 3, bytes: 300 },
  budget_over: { path: '/srv/dumps', bytes: 3 * 1024 ** 3, files: 9, over: ['maxBytes'], prunes: false },
  budget_within: { path: '/srv/dumps' },
  budget_filling: {
    path: '~/.codex/sessions',
    bytesPerHour: 1.2 * 1024 ** 3,
    multiplier: 38,
    errorAt: noon,
    cause: 'needs-login',
    freeBytes: 6.1 * 1024 ** 3,
    fullAt: noon + 18_300_000,
  },
  budget_calm: { path: '~/.codex/sessions' },
  guard_enabled: { what: 'worker' },
  guard_disabled: { what: 'worker' },
}

/** What about an event of a test is not as usual. */
export type Unusual<K extends EventKind> = Partial<Omit<DomainEvent, 'kind' | 'detail'>> & {
  detail?: Partial<Details[K]>
}

/** An event for tests: the pool `openai` moves from `work` to `personal`, unless said otherwise. */
export function sample<K extends EventKind>(kind: K, unusual: Unusual<K> = {}): DomainEvent {
  const { detail, ...shape } = unusual
  const usual = { at: noon, pool: 'openai', from: 'work', to: 'personal', reason: 'rate-limited', actor: 'spillway' }
  return { kind, ...usual, ...shape, detail: { ...details[kind], ...detail } } as DomainEvent
}

/** The announcement of an event, durable as audit row `seq`. */
export function announced(event: DomainEvent, seq: number | null = 1, suppressed = 0): Announcement {
  return { event, seq, suppressed }
}
