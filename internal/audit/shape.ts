import type { AuditRow } from '../store/store.ts'

/** An audit row in an export: what its hash is about, and no more; `at` is an RFC 3339 string. */
export interface AuditShape {
  seq: number
  at: string
  kind: string
  pool: string | null
  from: string | null
  to: string | null
  reason: string | null
  actor: string
  suppressed: number
  detail: Record<string, unknown>
  /** SHA-256, in hexadecimal, of the previous row's hash and this row's canonical JSON (RFC 8785) without `hash`. */
  hash: string
}

/** An audit row in lists, `--json` and the admin API. */
export interface AuditListShape extends AuditShape {
  /** The model family that it is about, as `detail` says; null for all. Not in an export, whose rows are as they were hashed. */
  model: string | null
}

/** The row as it is shown; one such JSON object in a line is the form of an export. */
export function auditShape(row: AuditRow): AuditShape {
  const { seq, at, kind, pool, from, to, reason, actor, suppressed, detail, hash } = row
  const shown = { seq, at: new Date(at).toISOString(), kind, pool, from, to, reason, actor, suppressed }
  return { ...shown, detail: { ...detail }, hash }
}

/** The row as it is listed: as in an export, with the model that it is about. */
export function auditListShape(row: AuditRow): AuditListShape {
  const { model } = row.detail
  return { ...auditShape(row), model: typeof model === 'string' ? model : null }
}
