import type { Gate } from '../../pool/pool.ts'
import type { LiveLease } from '../state/live.ts'

/**
 * Whether the member of a lease can still serve; asked about WebSockets, which outlive an answer. A suspect still can. A
 * `degraded` lease, which was given although its member was cooling, ends only with a state that waits for a person. A probe
 * can as long as it is under way.
 */
export function mayStillServe(lease: LiveLease): boolean {
  const { owner, domain, pool } = lease.seat
  return pool.holds(lease.seat) && [owner.gate, domain].every((gate) => gate === null || isOpen(gate, lease))
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
