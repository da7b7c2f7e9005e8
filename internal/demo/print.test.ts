import { expect, test } from 'vitest'
import { lastOf, Page } from './print.ts'

test('what has no room goes from the top, and a long line takes as many rows as it needs', () => {
  expect(lastOf(['a', 'b', 'c'], 2, 80)).toEqual(['b', 'c'])
  expect(lastOf(['a', 'x'.repeat(81), 'c'], 3, 80)).toEqual(['x'.repeat(81), 'c'])
  expect(lastOf(['a', '\u001b[1mbold\u001b[0m'], 2, 4)).toEqual(['a', '\u001b[1mbold\u001b[0m'])
})

test('on a terminal the changing lines stand below the story, which is there when the terminal is given back', () => {
  const shown: string[] = []
  const written: string[] = []
  const screen = { show: (text: string) => shown.push(text), restore: () => shown.push('restored') }
  const page = new Page({ rows: 3, columns: 80, write: (text) => written.push(text) }, () => screen)
  page.say('1. begins')
  page.show(['one', 'two'])
  page.show(['one', 'three'])
  page.keep()
  page.say('2. ends')
  page.close()
  page.close()
  expect(shown).toEqual([
    '1. begins',
    '1. begins\none\ntwo',
    '1. begins\none\nthree',
    'one\nthree\n2. ends',
    'restored',
  ])
  expect(written).toEqual(['1. begins\none\nthree\n2. ends\n'])
})

test('without a terminal every state is a line of its own', () => {
  const written: string[] = []
  const page = new Page({ write: (text) => written.push(text) }, null)
  page.say('1. begins')
  page.show(['  a   healthy', 'b cooling'])
  page.keep()
  page.close()
  expect(written).toEqual(['1. begins\n', '  a healthy; b cooling\n'])
})
