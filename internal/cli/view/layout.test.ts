import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { type Cell, textOf } from '../screen.ts'
import { laidOut, type Row, wrapped } from './layout.ts'

const text = (lines: readonly (readonly Cell[])[]) => lines.map((cells) => cells.map(textOf).join('').trimEnd())

const rows: Row[] = [
  { lead: ['a     '], sentence: 'healthy', figures: ['5h 28%', '2 s ago'] },
  { lead: ['longer'], sentence: 'rate limited, back in 4 min', figures: ['', '1 h ago'] },
  { lead: ['  '], sentence: 'gpt-5: quota' },
]

describe('figures stand in columns', () => {
  test.each([
    [
      'without a terminal',
      null,
      [
        'a     healthy                      5h 28%  2 s ago',
        'longerrate limited, back in 4 min          1 h ago',
        '  gpt-5: quota',
      ],
    ],
    [
      'and are left out from the least important where there is no room',
      44,
      ['a     healthy                      5h 28%', 'longerrate limited, back in 4 min', '  gpt-5: quota'],
    ],
    [
      'and a sentence that is too long goes on below itself',
      28,
      ['a     healthy', 'longerrate limited, back in', '      4 min', '  gpt-5: quota'],
    ],
  ])('%s', (_name, width, expected) => {
    expect(text(laidOut(rows, width))).toEqual(expected)
  })
})

const cells = fc.record({
  lead: fc.array(fc.string({ maxLength: 8 }), { maxLength: 3 }),
  sentence: fc.string({ maxLength: 200 }),
  figures: fc.array(fc.string({ maxLength: 30 }), { maxLength: 4 }),
})

it('no line is wider than the terminal, and no word of a sentence is lost', () => {
  fc.assert(
    fc.property(fc.array(cells, { maxLength: 6 }), fc.integer({ min: 40, max: 200 }), (any, width) => {
      const lines = laidOut(any, width).map((line) => line.map(textOf).join(''))
      for (const line of lines) expect(line.trimEnd().length).toBeLessThanOrEqual(width)
      const all = lines.join('').replaceAll(' ', '')
      for (const { sentence } of any) expect(all).toContain(sentence.replaceAll(' ', '').slice(0, 8))
    }),
  )
})

it('a word that is longer than the line is broken where the line ends', () => {
  expect(wrapped('see https://127.0.0.1:8460/openai now', 16)).toEqual([
    'see',
    'https://127.0.0.',
    '1:8460/openai',
    'now',
  ])
})
