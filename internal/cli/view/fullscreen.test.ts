import { expect, it } from 'vitest'
import { fitted, takeOver } from './fullscreen.ts'

it('lines that have no room are counted in the last', () => {
  expect(fitted(['a', 'b', 'c'], 3)).toEqual(['a', 'b', 'c'])
  expect(fitted(['a', 'b', 'c', 'd'], 3)).toEqual(['a', 'b', '… 2 more lines; spillway status shows all'])
})

it('the terminal is given back once, as it was', () => {
  const written: string[] = []
  const stdout = { isTTY: true, columns: 80, rows: 2, write: (text: string) => written.push(text) > 0 }
  const screen = takeOver(stdout)
  screen.show('one\ntwo\nthree\n')
  screen.restore()
  screen.restore()
  expect(written).toEqual([
    '\u001b[?1049h\u001b[?25l',
    '\u001b[Hone\u001b[K\r\n… 2 more lines; spillway status shows all\u001b[K\u001b[J',
    '\u001b[?25h\u001b[?1049l',
  ])
})
