import { isRoutine } from './condition.ts'
import type { Incident } from './incident.ts'

/** How failovers are told: not at all, without a sound, or like everything else. */
export type FailoverNotices = 'off' | 'silent' | 'on'

/**
 * Whether nobody has to be woken for what there is to tell of the incident: it is the ordinary work of a pool, or an
 * operator's own doing.
 */
export function isSilent({ kind, event, end }: Incident, failover: FailoverNotices): boolean {
  if (kind === 'cred_failover') return failover !== 'on'
  if (end?.kind === 'pool_recovered' && end.detail.how === 'operator') return true
  return (
    isRoutine(kind) ||
    kind === 'cred_account_changed' ||
    kind === 'cred_reset' ||
    (end ?? event).actor.startsWith('operator:')
  )
}
