import { type Health, isClosed, recoveryAt } from '../../pool/pool.ts'
import type { LiveSeat } from './live.ts'

/** Whether the member's host is not down. */
export function isReachable({ host }: LiveSeat): boolean {
  return host.health.state === 'healthy'
}

/** The health of the first gate of the seat (credential, domain, host) that has failed; null when none has. A probed gate counts as what it was before. */
export function failedHealth(seat: LiveSeat): Exclude<Health, { state: 'healthy' | 'probing' | 'suspect' }> | null {
  for (const gate of [seat.owner.gate, seat.domain, seat.host]) {
    if (!gate) continue
    const health = gate.health.state === 'probing' ? gate.health.was : gate.health
    if (health.state !== 'healthy' && health.state !== 'suspect') return health
  }
  return null
}

/** The worse of a credential's own health and its quota domain's. */
export function worseHealth(seat: LiveSeat): Health {
  const own = seat.owner.gate.health
  const domain = seat.domain?.health
  if (!domain || domain.state === 'healthy' || isClosed(own)) return own
  return own.state === 'healthy' || recoveryAt(domain) > recoveryAt(own) ? domain : own
}
