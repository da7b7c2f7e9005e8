import type { DomainEvent } from '../../events/events.ts'
import type { Health } from '../../pool/pool.ts'
import type { Write } from '../../store/store.ts'

/**
 * Whether rows that another replica has written say already what the event tells: whoever wrote them has told it. `idOf`
 * gives the credential of a member's name.
 */
export function isKnownFrom(
  event: DomainEvent,
  rows: readonly Write[],
  idOf: (member: string | null) => string | undefined,
): boolean {
  return rows.some((row) => 'put' in row && saysIt(event, row, idOf(event.to)))
}

function saysIt(event: DomainEvent, row: Extract<Write, { put: string }>, to: string | undefined): boolean {
  if (row.put === 'pool-state') {
    const { exhausted, active } = row.row
    if (event.kind === 'pool_exhausted') return exhausted?.told === true
    if (event.kind === 'pool_recovered') return exhausted === null
    return event.kind === 'cred_failover' && active !== null && active === to
  }
  if (row.put !== 'credential-state' && row.put !== 'domain') return false
  const scoped = row.put === 'credential-state' ? row.row.scoped : []
  const model = event.kind === 'cred_cooled' ? event.detail.model : null
  if (model !== null) return scoped.some(([family]) => family === model)
  return isHealthFor(event, row.row.health)
}

function isHealthFor({ kind }: DomainEvent, { state }: Health): boolean {
  switch (kind) {
    case 'cred_cooled':
      return state === 'cooling'
    case 'cred_suspect':
      return state !== 'healthy' && state !== 'cooling'
    case 'cred_needs_login':
      return state === 'needs-login'
    case 'cred_unreadable':
      return state === 'unreadable'
    case 'cred_disabled':
      return state === 'disabled'
    case 'cred_revived':
      return state === 'healthy'
    default:
      return false
  }
}
