import type { Clock } from '../../clock/clock.ts'
import type { Core } from '../core.ts'

const everyMs = 3_600_000

/**
 * Tells of tokens that end and cannot be refreshed, 30, 7 and 1 day before: once each, as the audit log knows after a
 * restart. Looks every hour; returns the end of that.
 */
export function watchExpiry(core: Core, clock: Clock, onError: (error: unknown) => void): () => void {
  let stopped = false
  let cancel = () => {}

  async function look(): Promise<void> {
    if (!core.fleet.leads()) return
    for (const { credential, endsAt, days } of core.credentials.reminders()) {
      const told = await core.store.audit({ kind: 'cred_expiring' })
      const isTold = told.some(
        ({ from, detail }) => from === credential.name && detail.endsAt === endsAt && Number(detail.days) <= days,
      )
      if (isTold || stopped) continue
      const pool = core.engine.credentials().find(({ record }) => record.id === credential.id)?.pools[0] ?? null
      const { kind } = credential.source
      const kept = kind === 'vault' || (kind === 'env' && credential.source.kept === true)
      core.engine.tell({ kind: 'cred_expiring', from: credential.name, pool, detail: { endsAt, days, kept } })
    }
  }

  async function lookOften(): Promise<void> {
    try {
      await look()
    } catch (error) {
      if (!stopped) onError(error)
    }
    if (!stopped) cancel = clock.after(everyMs, () => void lookOften())
  }

  void lookOften()
  return () => {
    stopped = true
    cancel()
  }
}
