import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDuration, formatSize, parseDuration, parseSize } from '../config.ts'

describe('a duration', () => {
  it.each([
    ['seconds', '30s', 30_000],
    ['minutes', '5m', 300_000],
    ['many seconds', '900s', 900_000],
    ['days', '90d', 7_776_000_000],
    ['weeks', '2w', 1_209_600_000],
    ['several units', '1h30m', 5_400_000],
    ['several units with spaces', ' 1h 30m ', 5_400_000],
    ['milliseconds', '250ms', 250],
    ['minutes beside milliseconds', '1m1ms', 60_001],
    ['a fraction', '1.5h', 5_400_000],
    ['a number in text', '1500', 1_500],
    ['a number', 1_500, 1_500],
    ['nothing', 0, 0],
  ])('reads %s', (_, text, expected) => {
    expect(parseDuration(text)).toBe(expected)
  })

  it.each([
    ['empty text', ''],
    ['a unit alone', 'm'],
    ['an unknown unit', '5y'],
    ['a long unit', '5 minutes'],
    ['a capital unit', '5M'],
    ['a sign', '-5m'],
    ['a negative number', -5],
    ['not a number', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
    ['more than a number can count', '99999999999999999999d'],
    ['a unit missing at the end', '1h30'],
    ['other text around it', 'in 5m'],
  ])('refuses %s', (_, text) => {
    expect(parseDuration(text)).toBeNull()
  })

  it.each([
    ['nothing', 0, '0s'],
    ['a negative rest', -5, '0s'],
    ['a mixture', 3_723_004, '1h2m3s4ms'],
    ['whole days', 7_776_000_000, '90d'],
    ['a part of a millisecond', 0.4, '0s'],
  ])('shows %s', (_, ms, expected) => {
    expect(formatDuration(ms)).toBe(expected)
  })

  it('keeps only the largest units when asked, and no smaller one in place of an empty one', () => {
    expect(formatDuration(3_723_004, 2)).toBe('1h2m')
    expect(formatDuration(3_605_000, 2)).toBe('1h')
    expect(formatDuration(999, 1)).toBe('999ms')
  })

  it('reads back exactly what it shows', () => {
    fc.assert(fc.property(fc.nat({ max: 10 ** 12 }), (ms) => parseDuration(formatDuration(ms)) === ms))
  })
})

describe('a size', () => {
  it.each([
    ['mebibytes', '32MiB', 33_554_432],
    ['kibibytes', '64KiB', 65_536],
    ['gibibytes', '2GiB', 2_147_483_648],
    ['megabytes', '10MB', 10_000_000],
    ['another case and a space', '1 kib', 1_024],
    ['bytes', '12B', 12],
    ['a number in text', '12', 12],
    ['a number', 12, 12],
    ['a fraction', '0.5KiB', 512],
  ])('reads %s', (_, text, expected) => {
    expect(parseSize(text)).toBe(expected)
  })

  it.each([
    ['empty text', ''],
    ['an ambiguous unit', '5M'],
    ['a sign', '-5KiB'],
    ['two sizes', '1MiB 2KiB'],
    ['a duration', '5m'],
    ['a negative number', -1],
    ['a name that every object has', '5constructor'],
  ])('refuses %s', (_, text) => {
    expect(parseSize(text)).toBeNull()
  })

  it.each([
    [536_870_912, '512MiB'],
    [1_536, '1536B'],
    [0, '0B'],
    [1_099_511_627_776, '1TiB'],
  ])('shows %d as %s', (bytes, expected) => {
    expect(formatSize(bytes)).toBe(expected)
  })

  it('reads back exactly what it shows', () => {
    fc.assert(fc.property(fc.maxSafeNat(), (bytes) => parseSize(formatSize(bytes)) === bytes))
  })
})
