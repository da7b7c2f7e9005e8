import type { Clock } from '../clock/clock.ts'
import type { At, Reason } from '../pool/pool.ts'
import type { CredentialRecord } from '../store/store.ts'
import type { Desk } from './desk.ts'
import type { Ledger } from './ledger.ts'
import type { RefreshResult } from './live.ts'
import type { Locks } from './locks.ts'
import type { Verdicts } from './material.ts'
import type { Watch } from './watch.ts'

/** What every holder needs from the process around it. Telling the engine never throws and is not waited for. */
export interface Surroundings {
  readonly clock: Clock
  /** Between 0 and 1, for jitter. */
  readonly random: () => number
  readonly files: Desk
  readonly commands: Desk
  readonly watch: Watch
  readonly locks: Locks
  readonly ledger: Ledger
  /** How many refreshes upstreams may force by refusing live tokens. */
  readonly forced: { readonly most: number; readonly withinMs: number }
  /** Lets the logins' `tick` be called at that instant (or a little later), and then as `dueAt` says. */
  wake(at: At): void
  standing(record: CredentialRecord): ReturnType<Verdicts['standing']>
  /**
   * Another secret is there: `us`: refreshed by spillway; `others`: by somebody else; `another`: of another identity,
   * whose limits are not the old ones.
   */
  replaced(record: CredentialRecord, by: 'us' | 'others' | 'another'): void
  /** Nothing but a person helps; `standing` is from before the attempt that showed it. */
  lapsed(record: CredentialRecord, standing: { generation: number } | undefined, reason: Reason): void
  /** For the metrics. */
  refreshed(record: CredentialRecord, result: RefreshResult): void
}
