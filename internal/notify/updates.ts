import type { Clock } from '../clock/clock.ts'
import type { Ledger } from './delivery/ledger.ts'
import { rowFor, rowId } from './delivery/outbox.ts'
import { dependentsOf, familyOf } from './incident/cause.ts'
import { groups } from './incident/condition.ts'
import { updated } from './incident/fold.ts'
import type { Incident } from './incident/incident.ts'
import type { At, UpdateReason } from './incident/notice.ts'
import { type PoolNow, refreshed } from './incident/sweep.ts'

/** How long the end of one incident waits for the ends that it brings about. */
const settleMs = 1_000

/** What updates work with. */
interface UpdatesDeps {
  readonly clock: Clock
  readonly ledger: Ledger
  readonly poolNow?: (name: string) => PoolNow | undefined
}

/** Lets channels hear of changes: puts rows into the outbox, for the message that tells the incident with its family. */
export class Updates {
  readonly #deps: UpdatesDeps

  constructor(deps: UpdatesDeps) {
    this.#deps = deps
  }

  /** An exhaustion that ends because somebody is usable again is told with that one's end. */
  rehomed(incident: Incident): Incident {
    const { end } = incident
    if (end?.kind !== 'pool_recovered') return incident
    const cause = this.#deps.ledger
      .incidents()
      .find(
        ({ group, closedAt }) =>
          group === groups.credential(end.to) && closedAt !== null && Math.abs(closedAt - end.at) < settleMs,
      )
    return cause && cause.id !== incident.id ? { ...incident, within: cause.within ?? cause.id } : incident
  }

  /** Lets the channels hear of a change, by the message that tells the incident. */
  tell(incident: Incident, channels: readonly string[]): void {
    const root = this.#deps.ledger.incident(incident.within ?? incident.id) ?? incident
    const now = this.#deps.clock.now()
    const told = root.id === incident.id ? root : updated(this.#fresh(root), inRoot(incident), now)
    if (told !== root) this.#deps.ledger.put(told)
    for (const channel of channels) this.#enqueue(told, channel, this.#settlesAt(incident, now))
  }

  /** What was known of a pool when its exhaustion was told may be another now that something joins it. */
  #fresh(root: Incident): Incident {
    const pool = root.pool === null ? undefined : this.#deps.poolNow?.(root.pool)
    return pool ? refreshed(root, pool) : root
  }

  /** Ends that come together are told together: the end of one waits a moment for those that depend on it. */
  #settlesAt(incident: Incident, now: At): At {
    if (incident.closedAt === null || !incident.lasts) return now
    const incidents = this.#deps.ledger.incidents()
    const root = this.#deps.ledger.incident(incident.within ?? incident.id) ?? incident
    const isWaiting = (one: Incident) => one.closedAt === null && one.kind === 'pool_exhausted'
    const depends = [...familyOf(root, incidents), ...dependentsOf(incident, incidents)].some(isWaiting)
    return depends ? now + settleMs : now
  }

  #enqueue(incident: Incident, channel: string, at = 0): void {
    const waiting = this.#deps.ledger.row(rowId(incident.id, channel))
    const row = rowFor(incident, channel, waiting, this.#deps.clock.now())
    this.#deps.ledger.putRow(waiting ? row : { ...row, nextAttemptAt: Math.max(row.nextAttemptAt, at) })
  }

  /** Whether nobody in the pool can serve before a person acts. */
  isStuck(name: string): boolean {
    const pool = this.#deps.poolNow?.(name)
    return pool?.exhausted === true && pool.retryAt === null
  }
}

/** What a change of an incident is for the message that tells it with others. */
function inRoot({ why, closedAt, lasts }: Incident): UpdateReason {
  if (closedAt !== null && lasts) return 'ended'
  return why === 'lasting' || why === 'repeated' ? why : 'changed'
}
