import type { ForecastShape } from '../../ops/ops.ts'
import { span, weekdayIn } from '../../when/when.ts'
import { counted } from '../guardview.ts'

let say: ((at: number) => string) | null = null

/** `Thu 14:00`, in this machine's zone. */
export function weekday(instant: string): string {
  say ??= weekdayIn()
  return say(Date.parse(instant))
}

/** What is foreseen, as one sentence; null where nothing is. */
export function forecastText({ name, state, dryAt, reliefAt, reliefMember }: ForecastShape): string | null {
  if (state !== 'dry' || dryAt === null) return null
  if (reliefAt === null || reliefMember === null)
    return `${name} runs dry ${weekday(dryAt)}, and no member returns by itself`
  const gap = span(Date.parse(reliefAt) - Date.parse(dryAt))
  return `${name} runs dry ${weekday(dryAt)}, ${gap} before the next relief (${reliefMember}, ${weekday(reliefAt)})`
}

/** The forecast with what it rests on, in lines. */
export function forecastLines(forecast: ForecastShape, now: number): string[] {
  const { name, state, until, burnPercentPerHour: burn, basis, keys } = forecast
  const dry = forecastText(forecast)
  const lasts = until === null ? `${name} lasts` : `${name} lasts at least until ${weekday(until)}`
  const first = dry ?? (state === 'enough' ? lasts : `${name}: too little is known to foresee anything`)
  const since = basis.fromAt === null ? null : `${span(Math.max(0, now - Date.parse(basis.fromAt)))} of traffic`
  const rests =
    since === null
      ? 'no request of a member with known limits was seen'
      : `it rests on ${since} in ${counted(basis.samples, 'sample')}`
  const needs = state === 'unknown' ? ['needed are 30 min of traffic, and members that tell their limits'] : []
  const burns = burn === null ? [] : [`${burn.toFixed(1)} % an hour of the limit that is used up first`]
  const by = keys.map(({ key, share }) => `${key} ${Math.round(share * 100)} %`)
  return [
    `${first}.`,
    ...burns.map((text) => `burns ${text}`),
    ...(by.length > 0 ? [`by key: ${by.join(', ')}`] : []),
    rests,
    ...needs,
  ]
}
