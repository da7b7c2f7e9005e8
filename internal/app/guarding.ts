import type { Clock } from '../clock/clock.ts'
import { type Config, reserveOf } from '../config/config.ts'
import type { PoolStatus } from '../engine/engine.ts'
import type { DomainEvent } from '../events/events.ts'
import { createGuard, createSystemCalls, type GuardSignal, type LiveGuard, type PoolFacts } from '../guard/guard.ts'
import type { Logger } from '../log/log.ts'
import type { Core } from './core.ts'
import { committing } from './sharing.ts'

/** The row in which the guard remembers what it did. */
const memoryName = 'guard'
/** How far before an incident its first error is looked for: a suspect is confirmed within this. */
const errorMs = 3_600_000

interface Guarding {
  readonly core: Core
  readonly clock: Clock
  readonly log: Logger
  readonly data: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly config: () => Config
}

/** The guard over the live pools and the store. */
export function guardOf({ core, clock, log, data, env, config }: Guarding): LiveGuard {
  const firstErrors = new Map<string, Promise<PoolFacts['breaker']['firstError']>>()
  const firstError = (pool: string, since: number) => {
    const key = `${pool}@${since}`
    const known = firstErrors.get(key)
    if (known) return known
    for (const old of [...firstErrors.keys()].filter((each) => each.startsWith(`${pool}@`))) firstErrors.delete(old)
    const found = firstErrorOf(core, pool, since).catch((error: unknown) => {
      // The store may say it the next time.
      firstErrors.delete(key)
      log.debug({ error, pool }, 'the first error of an incident could not be looked up')
      return null
    })
    firstErrors.set(key, found)
    return found
  }
  return createGuard({
    clock,
    log,
    data,
    system: createSystemCalls(clock, env),
    settings: () => config().guard,
    reserveBytes: () => config().disk.reserveBytes,
    reserveOf: (totalBytes) => reserveOf(config().disk, totalBytes),
    async pool(name) {
      const pool = core.engine.pool(name)
      if (!pool) return null
      const { decision } = core.engine.explain(name, null)
      const trouble = troubleOf(pool)
      const error = trouble && (await firstError(name, trouble.at))
      const isTrial =
        decision.kind === 'lease' && (decision.lease.role === 'probe' || decision.lease.role === 'degraded')
      const incidentAt = trouble && Math.min(trouble.at, error ? Date.parse(error.at) : trouble.at)
      return {
        incidentAt,
        cause: trouble?.cause ?? null,
        needsPerson: pool.exhausted && pool.retryAt === null,
        breaker: {
          pool: name,
          state: decision.kind !== 'lease' ? 'open' : isTrial ? 'half-open' : 'closed',
          since: trouble && new Date(trouble.at).toISOString(),
          firstError:
            error ?? (trouble && { at: new Date(trouble.at).toISOString(), reason: trouble.reason, status: null }),
          suppressed: pool.incident?.refused ?? 0,
        },
      }
    },
    tell: (signal, memory) =>
      core.engine.tell({ pool: null, reason: null, ...(signal as GuardSignal<'guard_enabled'>) }, [
        { put: 'meta', name: memoryName, value: memory },
      ]),
    recall: async () => (await core.store.load()).meta[memoryName] ?? null,
    remember: async (memory) => {
      // Nothing is done that could not be remembered: one who does not lead any more does nothing.
      await committing(core)({ writes: [{ put: 'meta', name: memoryName, value: memory }], audit: [] })
    },
  })
}

/** What is wrong with a pool: a member that waits for a person, or nobody who can serve; null when all is well. */
function troubleOf(
  pool: PoolStatus,
): { at: number; cause: NonNullable<PoolFacts['cause']>; reason: string | null } | null {
  const closed = pool.members
    .flatMap(({ health }) =>
      health.state === 'needs-login' || health.state === 'unreadable' || health.state === 'disabled' ? [health] : [],
    )
    .filter((health) => health.state !== 'disabled' || health.by === 'upstream')
    .sort((one, other) => one.since - other.since)[0]
  if (closed) return { at: closed.since, cause: closed.state, reason: closed.reason }
  return pool.incident && { at: pool.incident.since, cause: 'exhausted', reason: null }
}

const errors: ReadonlySet<string> = new Set<DomainEvent['kind']>([
  'cred_suspect',
  'cred_cooled',
  'cred_needs_login',
  'cred_unreadable',
  'cred_disabled',
  'pool_exhausted',
])
const cures: ReadonlySet<string> = new Set<DomainEvent['kind']>(['cred_revived', 'pool_recovered'])

/** The first error of the trouble that began at `since`, as the audit log knows it: nothing cured it in between. */
async function firstErrorOf(core: Core, pool: string, since: number): Promise<PoolFacts['breaker']['firstError']> {
  const members = new Set(core.engine.pool(pool)?.members.map(({ name }) => name))
  const rows = await core.store.audit({ since: since - errorMs, limit: 10_000 })
  const own = rows.filter((row) => row.at <= since + 1_000 && (row.pool === pool || members.has(row.from ?? '')))
  const cured = own.findLastIndex(({ kind }) => cures.has(kind))
  const first = own
    .slice(cured + 1)
    .find(({ kind, reason }) => errors.has(kind) && (kind !== 'cred_cooled' || reason !== 'rate-limited'))
  if (!first) return null
  const { status } = first.detail
  return {
    at: new Date(first.at).toISOString(),
    reason: first.reason,
    status: typeof status === 'number' ? status : null,
  }
}
