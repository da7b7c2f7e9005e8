import { describe, expect, it } from 'vitest'
import { Dedupe } from './dedupe.ts'

const windowMs = () => 30_000
const told = (suppressed = 0) => ({ tell: true, suppressed })
const counted = (suppressed: number) => ({ tell: false, suppressed })

describe('Dedupe', () => {
  it('tells a signal once per window and the left-out repeats with the next telling', () => {
    const dedupe = new Dedupe(windowMs)
    const seen = [0, 1, 29_999, 30_000, 30_001].map((at) => dedupe.admit('a', at))
    expect(seen).toEqual([told(), counted(1), counted(2), told(2), counted(1)])
  })

  it('counts the window from the telling, so that a lasting condition is told once per window', () => {
    const dedupe = new Dedupe(windowMs)
    const tellings = Array.from({ length: 100 }, (_, i) => dedupe.admit('a', i * 1_000)).filter(({ tell }) => tell)
    expect(tellings).toEqual([told(), told(29), told(29), told(29)])
  })

  it('keeps different signals apart', () => {
    const dedupe = new Dedupe(windowMs)
    expect([dedupe.admit('a', 0), dedupe.admit('b', 0)]).toEqual([told(), told()])
  })

  it('follows a change of the window at once', () => {
    let length = 30_000
    const dedupe = new Dedupe(() => length)
    dedupe.admit('a', 0)
    length = 10
    expect(dedupe.admit('a', 10)).toEqual(told())
  })

  it('takes up the window and the count of a previous run', () => {
    const dedupe = new Dedupe(windowMs)
    dedupe.restore('a', 1_000, 5)
    expect([dedupe.admit('a', 30_999), dedupe.admit('a', 31_000)]).toEqual([counted(6), told(6)])
  })

  it('restores the newer of two instants', () => {
    const dedupe = new Dedupe(windowMs)
    dedupe.restore('a', 1_000, 0)
    dedupe.restore('a', 500, 5)
    expect(dedupe.admit('a', 30_999)).toEqual(counted(6))
  })

  it('counts what somebody else has told, within the later window, and keeps what it has counted', () => {
    const dedupe = new Dedupe(windowMs)
    dedupe.heard('a', 500)
    expect(dedupe.admit('a', 1_000)).toEqual(counted(1))
    dedupe.heard('a', 900)
    dedupe.heard('a', 400)
    expect([dedupe.admit('a', 30_899), dedupe.admit('a', 30_900)]).toEqual([counted(2), told(2)])
  })

  it('says what has been counted and not told', () => {
    const dedupe = new Dedupe(windowMs)
    for (const signal of ['a', 'b', 'b', 'b']) dedupe.admit(signal, 0)
    expect([...dedupe.pending()]).toEqual([['b', 2]])
  })

  it('forgets the signal that was told longest ago when there are too many', () => {
    const dedupe = new Dedupe(windowMs, 2)
    dedupe.admit('a', 0)
    dedupe.admit('b', 1)
    dedupe.admit('a', 30_000)
    dedupe.admit('c', 30_000)
    expect([dedupe.admit('a', 30_001), dedupe.admit('b', 30_001)]).toEqual([counted(1), told()])
  })
})
