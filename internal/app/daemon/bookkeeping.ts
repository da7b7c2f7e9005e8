import { randomBytes } from 'node:crypto'
import type { Clock } from '../../clock/clock.ts'
import type { Config } from '../../config/config.ts'
import { Ledger } from '../../ledger/ledger.ts'
import type { Logger } from '../../log/log.ts'
import type { Core } from '../core.ts'
import { pricesOf } from '../prices.ts'
import { usageRetentionOf } from '../settings.ts'
import type { Meters } from './meters.ts'

/** What a ledger is kept with. */
interface Bookkeeping {
  readonly core: Core
  readonly clock: Clock
  readonly log: Logger
  readonly counts: Meters
  /** The operator's own file of prices; null without one. */
  readonly ownPrices: string | null
  /** The configuration in force. */
  readonly config: () => Config
  /** Whether so little disk is free that only what is needed is written. */
  readonly isDiskShort: () => boolean
}

/** The ledger of this process; refuses prices that cannot be used. */
export function ledgerOf({ core, clock, log, counts, ownPrices, config, isDiskShort }: Bookkeeping): Ledger {
  return new Ledger({
    store: core.store,
    clock,
    writer: randomBytes(6).toString('base64url'),
    retention: () => usageRetentionOf(config()),
    prices: pricesOf(ownPrices),
    maySpend: () => !isDiskShort(),
    counted: counts.tokens,
    onError: (error, what) => log.warn({ error }, what),
  })
}
