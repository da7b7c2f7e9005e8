import type { Clock } from '../clock/clock.ts'
import type { CredentialRecord } from '../store/store.ts'
import type { Desk } from './desk.ts'
import type { Watch } from './watch.ts'

/** What every holder needs from the process around it. */
export interface Surroundings {
  readonly clock: Clock
  /** Between 0 and 1, for jitter. */
  readonly random: () => number
  readonly files: Desk
  readonly commands: Desk
  readonly watch: Watch
  /** Another secret took the place of the old one. Never throws; what the engine makes of it is not waited for. */
  replaced(record: CredentialRecord): void
  /** The secret cannot be read and nothing but a person helps. */
  unreadable(record: CredentialRecord): void
}
