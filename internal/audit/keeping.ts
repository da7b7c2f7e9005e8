import type { Cancel, Clock } from '../clock/clock.ts'
import type { Retention, Store } from '../store/store.ts'

interface Keeping {
  readonly store: Pick<Store, 'prune'>
  readonly clock: Clock
  /** Whether it is for this process to do: of several that share a store, one keeps the budget. */
  readonly isMine: () => boolean
  /** The budget in force, asked before each removal. */
  readonly retention: () => Retention
  /** Called when a removal failed; the next one comes at its time. */
  readonly onError: (error: unknown) => void
}

/** A full walk over a full log takes a second of the store's thread, so it is not done more often. */
const everyMs = 10 * 60_000

/**
 * Keeps the audit log within its budget: at once, so that an overdue log shrinks before it grows, and ten minutes after each
 * removal has ended. Returns the end of it.
 */
export function keepAudit({ store, clock, isMine, retention, onError }: Keeping): () => void {
  let stopped = false
  let cancel: Cancel = () => {}

  async function prune(): Promise<void> {
    try {
      if (isMine()) await store.prune(clock.now(), retention())
    } catch (error) {
      if (!stopped) onError(error)
    }
    if (!stopped) cancel = clock.after(everyMs, () => void prune())
  }

  void prune()
  return () => {
    stopped = true
    cancel()
  }
}
