import type { Cancel, Clock } from '../../clock/clock.ts'
import type { Logger } from '../../log/log.ts'

const deadlineMs = 10_000

/** What a watchdog works with; the settings are read anew for each round. */
interface WatchdogDeps {
  readonly clock: Clock
  readonly log: Logger
  readonly fetch: typeof fetch
  settings(): { readonly watchdogUrl: string | null; readonly watchdogEveryMs: number }
}

/** Tells an outside watcher that this program runs. */
export interface Watchdog {
  /** The settings are others now. */
  changed(): void
  stop(): void
}

/** Asks the URL at once and then at every interval; an address may hold a secret, so no log line names it. */
export function watchdog({ clock, log, fetch, settings }: WatchdogDeps): Watchdog {
  let cancel: Cancel = () => {}
  let isFailing = false
  let round = 0

  async function ask(url: string): Promise<string | null> {
    const deadline = new AbortController()
    const late = clock.after(deadlineMs, () => deadline.abort())
    try {
      const response = await fetch(url, { redirect: 'follow', signal: deadline.signal })
      await response.body?.cancel()
      return response.ok ? null : `it answered ${response.status}`
    } catch {
      return deadline.signal.aborted ? `it did not answer within ${deadlineMs} ms` : 'it cannot be reached'
    } finally {
      late()
    }
  }

  async function beat(): Promise<void> {
    const mine = ++round
    const { watchdogUrl, watchdogEveryMs } = settings()
    if (watchdogUrl === null) return
    cancel = clock.after(watchdogEveryMs, () => void beat())
    const what = await ask(watchdogUrl)
    if (mine !== round) return
    if (what !== null && !isFailing) log.warn({ what }, 'notices.watchdogUrl was not reached; it is tried again')
    if (what === null && isFailing) log.info({}, 'notices.watchdogUrl is reached again')
    isFailing = what !== null
  }

  void beat()
  return {
    changed() {
      cancel()
      void beat()
    },
    stop() {
      round++
      cancel()
    },
  }
}
