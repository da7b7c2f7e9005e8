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
  readonly openedAt: string
  /** null while it lasts. */
  readonly closedAt: string | null
  /** From its beginning to its end, oldest first. */
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

/** The conditions that the rows (oldest first) tell of, the newest first; a row without its beginning tells nothing. */
export function storiesIn(rows: readonly Row[]): Story[] {
  const open = new Map<string, { kind: string; rows: Row[] }>()
  const found: Story[] = []
  for (const row of rows) {
    for (const [key, story] of open) {
      const first = story.rows[0]
      if (!first) continue
      const isEnd = ends[story.kind]?.by.includes(row.kind) === true && keyOf(story.kind, row) === key
      if (isEnd || belongs(row, first)) story.rows.push(row)
      if (!isEnd) continue
      found.push(told(story, row.at))
      open.delete(key)
    }
    const key = ends[row.kind] ? keyOf(row.kind, row) : null
    if (key !== null && !open.has(key)) open.set(key, { kind: row.kind, rows: [row] })
  }
  const lasting = [...open.values()].map((story) => told(story, null))
  return [...lasting, ...found].sort((one, other) => Date.parse(other.openedAt) - Date.parse(one.openedAt))
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

function told({ kind, rows }: { kind: string; rows: Row[] }, closedAt: string | null): Story {
  const first = rows[0] as Row
  const host = typeof first.detail.host === 'string' ? first.detail.host : null
  return {
    kind,
    pool: first.pool,
    subject: first.from ?? host,
    openedAt: first.at,
    closedAt,
    rows: rows.slice(0, mostRows),
  }
}
