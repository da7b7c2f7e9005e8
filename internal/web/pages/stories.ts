import type { AuditShape } from '../../ops/ops.ts'

type Row = Pick<
  AuditShape,
  'seq' | 'at' | 'kind' | 'pool' | 'from' | 'to' | 'reason' | 'actor' | 'suppressed' | 'detail'
>

/** A condition with a beginning and an end, as the audit log tells it. */
export interface Story {
  readonly kind: string
  readonly pool: string | null
  /** The member, host, worker or directory. */
  readonly subject: string | null
  /** The row that began it. */
  readonly first: Row
  readonly openedAt: string
  /** null while it lasts. */
  readonly closedAt: string | null
  /** From what led to it to its end, oldest first. */
  readonly rows: readonly Row[]
}

/** What ends a condition, by what begins it, and by what both are about. */
const ends: Readonly<
  Record<string, { readonly by: readonly string[]; readonly about: 'pool' | 'from' | 'host' | 'one' }>
> = {
  pool_exhausted: { by: ['pool_recovered'], about: 'pool' },
  cred_needs_login: { by: ['cred_revived', 'cred_removed'], about: 'from' },
  cred_unreadable: { by: ['cred_revived', 'cred_removed'], about: 'from' },
  cred_disabled: { by: ['cred_revived', 'cred_removed'], about: 'from' },
  host_down: { by: ['host_up'], about: 'host' },
  store_trouble: { by: ['store_healed'], about: 'one' },
  config_rejected: { by: ['config_changed'], about: 'one' },
  worker_down: { by: ['worker_up'], about: 'from' },
  path_unrecovered: { by: ['path_readable'], about: 'from' },
  budget_over: { by: ['budget_within'], about: 'from' },
  budget_filling: { by: ['budget_calm'], about: 'from' },
}

const mostRows = 50
/** What happened to a pool so shortly before belongs to its story, as far as it is about members that went out. */
const leadMs = 10 * 60_000
const mostLeading = 20
const leads = new Set([
  'cred_cooled',
  'cred_suspect',
  'cred_needs_login',
  'cred_unreadable',
  'cred_disabled',
  'cred_failover',
])

interface Open {
  readonly kind: string
  readonly first: Row
  readonly rows: Row[]
}

/** The conditions that the rows (oldest first) tell of, the newest first; a row without its beginning tells nothing. */
export function storiesIn(rows: readonly Row[]): Story[] {
  const open = new Map<string, Open>()
  const found: Story[] = []
  for (const [at, row] of rows.entries()) {
    for (const [key, story] of open) {
      const isEnd = ends[story.kind]?.by.includes(row.kind) === true && keyOf(story.kind, row) === key
      if (isEnd || belongs(row, story.first)) story.rows.push(row)
      if (!isEnd) continue
      found.push(told(story, row.at))
      open.delete(key)
    }
    const key = ends[row.kind] ? keyOf(row.kind, row) : null
    if (key !== null && !open.has(key)) open.set(key, { kind: row.kind, first: row, rows: [...leading(rows, at), row] })
  }
  const lasting = [...open.values()].map((story) => told(story, null))
  return [...lasting, ...found].sort((one, other) => Date.parse(other.openedAt) - Date.parse(one.openedAt))
}

/** What led to an exhaustion: who went out before, since the pool last recovered. */
function leading(rows: readonly Row[], at: number): Row[] {
  const row = rows[at] as Row
  if (row.kind !== 'pool_exhausted') return []
  const found: Row[] = []
  for (let before = at - 1; before >= 0 && found.length < mostLeading; before--) {
    const each = rows[before] as Row
    if (Date.parse(row.at) - Date.parse(each.at) > leadMs) break
    if (each.pool !== row.pool) continue
    if (each.kind === 'pool_recovered') break
    if (leads.has(each.kind)) found.unshift(each)
  }
  return found
}

/** What happened to the same pool, or the same member, belongs to the story. */
function belongs(row: Row, first: Row): boolean {
  if (row.seq === first.seq) return false
  return first.pool === null ? row.from !== null && row.from === first.from : row.pool === first.pool
}

function keyOf(kind: string, row: Row): string {
  const about = ends[kind]?.about
  const what = about === 'pool' ? row.pool : about === 'from' ? row.from : about === 'host' ? row.detail.host : ''
  const model = about === 'pool' && typeof row.detail.model === 'string' ? row.detail.model : ''
  return `${kind} ${String(what)} ${model}`
}

function told({ kind, first, rows }: Open, closedAt: string | null): Story {
  const host = typeof first.detail.host === 'string' ? first.detail.host : null
  return {
    kind,
    first,
    pool: first.pool,
    subject: first.from ?? host,
    openedAt: first.at,
    closedAt,
    rows: rows.slice(0, mostRows),
  }
}
