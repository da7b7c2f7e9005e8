import type { Snapshot } from './batch.ts'
import { type Anchor, canonicalJson, type Head } from './chain.ts'
import { type Column, fraction, json, maybeWhole, optional, type Table, table, text, whole } from './column.ts'
import type {
  AuditRow,
  CredentialRecord,
  CredentialState,
  DomainState,
  HostState,
  IncidentRecord,
  KeptHealth,
  KeyRecord,
  OutboxRecord,
  PoolRecord,
  PoolState,
  RefreshRecord,
  SeatRecord,
  SecretRecord,
  UsageRecord,
  UsageSample,
} from './records.ts'

/*
 * Where each record lives. A field that is added to a record does not compile before it has a column here, and does not
 * work before a migration has added that column.
 */

/**
 * A credential's health. `unreadable` is kept in the form that versions without that state wrote and understand, so that
 * both can use one database.
 */
const health: Column<KeptHealth> = {
  ...json<KeptHealth>('health'),
  encode: (value) => JSON.stringify(value.state === 'unreadable' ? { ...value, state: 'needs-login' } : value),
  decode: (cell) => readable(JSON.parse(String(cell))),
}

function readable(health: KeptHealth): KeptHealth {
  return health.state === 'needs-login' && health.reason === 'unreadable' ? { ...health, state: 'unreadable' } : health
}

export const credentials = table<CredentialRecord>('credentials', ['id'], {
  id: text('id'),
  name: text('name'),
  provider: text('provider'),
  shape: optional(text('shape')),
  baseUrl: text('base_url'),
  domain: text('domain'),
  header: text('header'),
  source: json('source'),
  auth: text('auth'),
  oauth: optional(json('oauth')),
  createdAt: whole('created_at'),
})

export const credentialStates = table<CredentialState>('credential_states', ['id'], {
  id: text('id'),
  generation: whole('generation'),
  health,
  scoped: json('scoped'),
})

export const refreshes = table<RefreshRecord>('refreshes', ['id'], {
  id: text('id'),
  generation: whole('generation'),
  intent: json('intent'),
  refused: json('refused'),
  failures: whole('failures'),
  nextAttemptAt: whole('next_attempt_at'),
})

export const pools = table<PoolRecord>('pools', ['name'], {
  name: text('name'),
  provider: text('provider'),
  shape: optional(text('shape')),
  upstream: text('upstream'),
  strategy: text('strategy'),
  maxWaitMs: maybeWhole('max_wait_ms'),
  onExhausted: text('on_exhausted'),
  preemptAt: fraction('preempt_at'),
  probePath: text('probe_path'),
  affinity: text('affinity'),
  createdAt: whole('created_at'),
})

export const poolStates = table<PoolState>('pool_states', ['name'], {
  name: text('name'),
  active: text('active'),
  exhausted: json('exhausted'),
  backup: optional(json('backup')),
})

export const seats = table<SeatRecord>('seats', ['pool', 'credential_id'], {
  pool: text('pool'),
  credentialId: text('credential_id'),
  epoch: whole('epoch'),
  position: whole('position'),
  weight: whole('weight'),
  tier: whole('tier'),
  maxInFlight: maybeWhole('max_in_flight'),
  caps: json('caps'),
  park: json('park'),
})

export const domains = table<DomainState>('domains', ['name'], { name: text('name'), health: json('health') })

export const hosts = table<HostState>('hosts', ['host'], {
  host: text('host'),
  failures: whole('failures'),
  since: whole('since'),
  nextAttemptAt: whole('next_attempt_at'),
})

export const keys = table<KeyRecord>('client_keys', ['id'], {
  id: text('id'),
  name: text('name'),
  digest: text('digest'),
  pools: json('pools'),
  createdAt: whole('created_at'),
  revokedAt: maybeWhole('revoked_at'),
})

export const secrets = table<SecretRecord>('secrets', ['owner', 'field'], {
  owner: text('owner'),
  field: text('field'),
  generation: whole('generation'),
  sealed: text('sealed'),
})

export const incidents = table<IncidentRecord>('incidents', ['id'], {
  id: text('id'),
  kind: text('kind'),
  pool: text('pool'),
  subject: text('subject'),
  reason: text('reason'),
  openedAt: whole('opened_at'),
  closedAt: maybeWhole('closed_at'),
  count: whole('count'),
  state: json('state'),
})

export const outbox = table<OutboxRecord>('outbox', ['id'], {
  id: text('id'),
  channel: text('channel'),
  incident: text('incident'),
  body: json('body'),
  createdAt: whole('created_at'),
  attempts: whole('attempts'),
  nextAttemptAt: whole('next_attempt_at'),
})

export const usage = table<UsageRecord>('usage_hours', ['hour', 'writer', 'pool', 'key_name', 'member', 'model'], {
  hour: whole('hour'),
  writer: text('writer'),
  pool: text('pool'),
  key: text('key_name'),
  member: text('member'),
  model: text('model'),
  requests: whole('requests'),
  unmetered: whole('unmetered'),
  unpriced: whole('unpriced'),
  input: whole('input'),
  cached: whole('cached'),
  cacheWrite: whole('cache_write'),
  output: whole('output'),
  reasoning: whole('reasoning'),
  cost: whole('cost'),
})

/** A sample with what it takes up. */
export const usageSamples = table<UsageSample & { readonly bytes: number }>(
  'usage_samples',
  ['credential_id', 'at', 'writer'],
  {
    credentialId: text('credential_id'),
    at: whole('at'),
    writer: text('writer'),
    windows: json('windows'),
    work: json('work'),
    bytes: whole('bytes'),
  },
)

export const suppressed = table<Snapshot['suppressed'][number]>('suppressed', ['signal'], {
  signal: text('signal'),
  count: whole('count'),
  at: whole('at'),
})

export const meta = table<{ readonly name: string; readonly value: string }>('meta', ['name'], {
  name: text('name'),
  value: text('value'),
})

/** An audit row with what only the store needs to know of it. */
export interface StoredRow extends AuditRow {
  readonly bytes: number
  /** The name of the entry that it was written for. */
  readonly entry: string
}

/** A table of one row, whose id is 1. */
type Only<T> = T & { readonly id: number }

export const audit = table<StoredRow>('audit', ['seq'], {
  seq: whole('seq'),
  at: whole('at'),
  kind: text('kind'),
  pool: text('pool'),
  from: text('from_member'),
  to: text('to_member'),
  reason: text('reason'),
  actor: text('actor'),
  suppressed: whole('suppressed'),
  detail: { ...json('detail'), encode: canonicalJson },
  hash: text('hash'),
  bytes: whole('bytes'),
  entry: text('entry'),
})

const end = {
  id: whole('id'),
  seq: whole('seq'),
  hash: text<string>('hash'),
  bytes: whole('bytes'),
  signature: text<string>('signature'),
}

export const heads = table<Only<Head>>('audit_head', ['id'], end)

export const anchors = table<Only<Anchor>>('audit_anchor', ['id'], {
  ...end,
  brokenSeq: maybeWhole('broken_seq'),
  problem: text('problem'),
})

/** Everything that a store consists of, in an order in which it can be written: rows stand behind those that they refer to. */
export const all: readonly Table<object>[] = [
  credentials,
  credentialStates,
  refreshes,
  pools,
  poolStates,
  seats,
  domains,
  hosts,
  keys,
  secrets,
  incidents,
  outbox,
  usage,
  usageSamples,
  suppressed,
  meta,
  audit,
  heads,
  anchors,
] as unknown as readonly Table<object>[]
