import type { At } from '../outcome.ts'
import type { Forecast } from './forecast.ts'

/** The forecast of a pool as it is told, which does not waver with each sample. */
export interface Outlook {
  readonly forecast: Forecast
  /** How often in a row newer forecasts have said something else. */
  readonly against: number
}

/** So many forecasts in a row have to agree that a pool runs dry after all, or does not any more. */
const needed = { dry: 2, lasts: 3 } as const

/**
 * The outlook after another forecast, 5 min after the one before: what is not known yet is taken at once, a change of mind when it
 * was confirmed. A drought that has begun, or should have, is no forecast.
 */
export function outlookAfter(outlook: Outlook | null, fresh: Forecast, now: At): Outlook {
  const before = outlook?.forecast.state ?? 'unknown'
  if (outlook === null || before === 'unknown' || before === fresh.state) return { forecast: fresh, against: 0 }
  const against = outlook.against + 1
  const isPast = before === 'dry' && (outlook.forecast.dryAt as At) < now
  const enough = before === 'dry' ? (isPast ? 1 : needed.lasts) : fresh.state === 'dry' ? needed.dry : needed.lasts
  return against >= enough ? { forecast: fresh, against: 0 } : { ...outlook, against }
}
