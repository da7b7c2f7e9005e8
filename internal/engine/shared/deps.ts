import type { Write } from '../../store/store.ts'
import type { Exhaustions } from '../requests/exhaustion.ts'
import type { WaitQueue } from '../requests/wait-queue.ts'
import type { LiveCredential } from '../state/live.ts'
import type { Knowledge } from './knowledge.ts'

/** What adopting works with. */
export interface AdoptingDeps {
  readonly knowledge: Knowledge
  readonly queue: WaitQueue
  readonly exhaustions: Exhaustions
  /** Whether a decision of our own about the row waits to be written: then it stays. */
  readonly isPending: (write: Write) => boolean
  /** Another replica has said something about the credential's health. */
  readonly heard: (credential: LiveCredential) => void
}
