import type { PoolStatus } from '../engine/engine.ts'
import { type PoolShape, poolShape } from './present.ts'
import type { Call } from './verb.ts'

/** A pool as `pool status --json` shows it, with what the ledger knows of it. */
export function shownPool({ clock, startedAt, ledger }: Call, status: PoolStatus): PoolShape {
  const share = ledger?.cachedShare(status.record.name) ?? null
  const cachedShare = share === null ? null : Math.round(share * 10_000) / 10_000
  return { ...poolShape(status, clock.now(), startedAt !== null), cachedShare }
}
