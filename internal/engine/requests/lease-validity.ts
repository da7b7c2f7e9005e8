import type { Gate } from '../../pool/pool.ts'
import type { LiveLease } from '../state/live.ts'

/**
 * Whether the member of a lease could serve still, for what outlives an answer. A suspect is not fallen yet; a member
 * that was given out although it cooled falls only with what no time heals; a probe stands as long as it is under way.
 */
export function stands(lease: LiveLease): boolean {
  const { owner, domain } = lease.seat
  return owner.seats.has(lease.seat) && [owner.gate, domain].every((gate) => gate === null || isOpen(gate, lease))
}

function isOpen({ health }: Gate, { id, role }: LiveLease): boolean {
  switch (health.state) {
    case 'healthy':
    case 'suspect':
      return true
    case 'probing':
      return health.lease === id || role === 'degraded' || health.was.state === 'suspect'
    case 'cooling':
      return role === 'degraded'
    case 'needs-login':
    case 'unreadable':
    case 'disabled':
      return false
  }
}
