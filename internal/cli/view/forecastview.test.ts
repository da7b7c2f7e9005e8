import { expect, it } from 'vitest'
import type { ForecastShape } from '../../ops/ops.ts'
import { forecastLines } from './forecastview.ts'

const now = Date.parse('2026-01-05T14:00:00Z')
const nothing: ForecastShape = {
  name: 'p',
  at: '2026-01-05T14:00:00.000Z',
  state: 'unknown',
  dryAt: null,
  reliefAt: null,
  reliefMember: null,
  until: null,
  burnPercentPerHour: null,
  basis: { fromAt: null, samples: 0 },
  keys: [],
}

it('says of what is unknown why, and what is needed', () => {
  const needs = 'needed are 30 min of traffic, and members that tell their limits'
  expect(forecastLines(nothing, now)).toEqual([
    'p: too little is known to foresee anything.',
    'no request of a member with known limits was seen',
    needs,
  ])
  const basis = { fromAt: '2026-01-05T13:55:00.000Z', samples: 1 }
  expect(forecastLines({ ...nothing, basis }, now)).toEqual([
    'p: too little is known to foresee anything.',
    'it rests on 5 min of traffic in 1 sample',
    needs,
  ])
})
