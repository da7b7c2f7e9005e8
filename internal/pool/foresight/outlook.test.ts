import { expect, it } from 'vitest'
import type { Forecast } from './forecast.ts'
import { type Outlook, outlookAfter } from './outlook.ts'

const now = 1_000_000
const foreseen = (state: Forecast['state'], dryAt: number | null = state === 'dry' ? now + 1 : null): Forecast => ({
  state,
  dryAt,
  reliefAt: null,
  reliefMember: null,
  until: null,
  burnPercentPerHour: null,
  basis: { fromAt: null, samples: 0 },
})
const after = (...states: readonly Forecast['state'][]) =>
  states.reduce<Outlook | null>((outlook, state) => outlookAfter(outlook, foreseen(state), now), null)?.forecast.state

it.each<[string, readonly Forecast['state'][], Forecast['state']]>([
  ['the first', ['dry'], 'dry'],
  ['what was unknown', ['unknown', 'dry'], 'dry'],
  ['a change of mind, not yet', ['enough', 'dry'], 'enough'],
  ['a change of mind that is confirmed', ['enough', 'dry', 'dry'], 'dry'],
  ['a change of mind that is not', ['enough', 'dry', 'enough', 'dry'], 'enough'],
  ['less is known, not yet', ['enough', 'unknown', 'unknown'], 'enough'],
  ['less is known', ['enough', 'unknown', 'unknown', 'unknown'], 'unknown'],
  ['it lasts, not yet', ['dry', 'enough', 'enough'], 'dry'],
  ['it lasts', ['dry', 'enough', 'unknown', 'enough'], 'enough'],
])('an outlook follows %s', (_name, states, state) => {
  expect(after(...states)).toBe(state)
})

it('an outlook whose time is over gives way at once', () => {
  const past = outlookAfter(null, foreseen('dry', now - 1), now)
  expect(outlookAfter(past, foreseen('enough'), now).forecast.state).toBe('enough')
})

it('an outlook is always that of the newest forecast which agrees with it', () => {
  const first = outlookAfter(null, foreseen('dry', now + 1), now)
  expect(outlookAfter(first, foreseen('dry', now + 2), now)).toEqual({ forecast: foreseen('dry', now + 2), against: 0 })
})
