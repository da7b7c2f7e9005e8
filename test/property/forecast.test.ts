import { describe, expect, it } from 'vitest'
import { type Course, live, start, type Trace } from './traces.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

const hourOf = (at: number) => Math.floor((at - start) / hourMs) % 24
const isWorkday = (at: number) => Math.floor((at - start) / dayMs) % 7 < 5
/** A load from nine to six on workdays, which varies by half. */
function office(perSlot: number): (at: number) => number {
  const random = randomFrom(2)
  return (at) => (isWorkday(at) && hourOf(at) >= 9 && hourOf(at) < 18 ? perSlot * (0.5 + random()) : 0)
}

/** Bursts of half an hour, thirty times the load of the time between, a few each day. */
function bursts(perSlot: number): (at: number) => number {
  const random = randomFrom(3)
  let until = 0
  return (at) => {
    if (at >= until && random() < 0.01) until = at + hourMs / 2
    return at < until ? 30 * perSlot : perSlot
  }
}

function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296
    return state / 4_294_967_296
  }
}

const perWork = (window: string) => (window === '5h' ? 0.1 : 0.01)
const two = { members: 2, windows: ['5h', '7d'], perWork }
const shrinksAt = start + 14 * dayMs

/** How far the told time was off the beginning of each drought, as parts of 2 h, from 2 h before on; 1 for none. */
function errors({ droughts, looks }: Course): number[] {
  return droughts.flatMap(({ from }) =>
    looks
      .filter(({ at }) => at >= from - 2 * hourMs && at < from)
      .map(({ told }) => (told.dryAt === null ? 1 : Math.abs(told.dryAt - from) / (2 * hourMs))),
  )
}

/** Alarms for a time at which there was no drought, within the trace. */
function falseAlarms({ droughts, looks }: Course): string[] {
  const last = looks.at(-1)?.at ?? 0
  return looks.flatMap(({ at, told }, index) => {
    const { dryAt } = told
    if (dryAt === null || looks[index - 1]?.told.state === 'dry' || dryAt > last) return []
    const isTrue = droughts.some(({ from, to }) => to >= at && from <= dryAt + dayMs)
    return isTrue ? [] : [`${new Date(at).toISOString()}: ${new Date(dryAt).toISOString()}`]
  })
}

const drying: readonly (readonly [string, number, () => Trace])[] = [
  ['a constant load', 4, () => ({ ...two, demand: () => 12 })],
  [
    'a constant load, of whose windows parts of a percent are told',
    4,
    () => ({ ...two, demand: () => 12, wholes: false }),
  ],
  [
    'a load in office hours',
    4,
    () => ({ ...two, demand: office(25), perWork: (window) => (window === '5h' ? 0.05 : 0.021) }),
  ],
  [
    'a plan that shrinks',
    3,
    () => ({ ...two, demand: () => 5, perWork: (window, at) => perWork(window) * (at > shrinksAt ? 2.2 : 1) }),
  ],
]

const lasting: readonly (readonly [string, () => Trace])[] = [
  ['a constant load', () => ({ ...two, demand: () => 8 })],
  ['a load in office hours', () => ({ ...two, demand: office(25) })],
  ['bursts', () => ({ ...two, demand: bursts(2) })],
  [
    'a reset that comes early',
    () => ({ ...two, demand: () => 8, resets: (at, index) => index === 0 && at === start + 60 * hourMs }),
  ],
]

describe('over four weeks, a forecast', () => {
  it.each(drying)('is right to 15 parts of 100 from 2 h before: %s', (_name, droughts, trace) => {
    const course = live(trace)
    expect(course.droughts).toHaveLength(droughts)
    expect(Math.max(...errors(course))).toBeLessThanOrEqual(0.15)
    expect(falseAlarms(course)).toEqual([])
  })

  it.each(lasting)('gives no false alarm for %s', (_name, trace) => {
    const course = live(trace)
    expect(course.droughts).toEqual([])
    expect(course.looks.filter(({ told }) => told.state === 'dry')).toEqual([])
    expect(course.looks.filter(({ told }) => told.state === 'enough').length / course.looks.length).toBeGreaterThan(0.9)
  })
})
