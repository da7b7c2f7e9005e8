import type { AuditRow } from '../store/store.ts'

/** An audit row in `--json`, in an export and in the admin API; `at` is an RFC 3339 string. */
export interface AuditShape {
  seq: number
  at: string
  kind: string
  pool: string | null
  from: string | null
  to: string | null
  reason: string | null
  actor: string
  /** The model family that it is about, as `detail` says; null for all. */
  model: string | null
  suppressed: number
  detail: Record<string, unknown>
  /** SHA-256, in hexadecimal, of the previous row's hash and this row's canonical JSON (RFC 8785) without `hash` and `model`. */
  hash: string
}

function modelOf(detail: Readonly<Record<string, unknown>>): string | null {
  return typeof detail.model === 'string' ? detail.model : null
}

/** The row as it is shown; one such JSON object in a line is the form of an export. */
export function auditShape(row: AuditRow): AuditShape {
  const { seq, at, kind, pool, from, to, reason, actor, suppressed, detail, hash } = row
  const shown = {
    seq,
    at: new Date(at).toISOString(),
    kind,
    pool,
    from,
    to,
    reason,
    actor,
    model: modelOf(detail),
    suppressed,
  }
  return { ...shown, detail: { ...detail }, hash }
}
