import { expect, test } from 'vitest'
import type { DoctorRow } from '../../ops/ops.ts'
import { screenOf } from '../screen.ts'
import { printDoctor } from './doctorview.ts'

const rows: DoctorRow[] = [
  { check: 'node', state: 'ok', message: 'Node 24.1.0, fast path active', hint: 'not said' },
  {
    check: 'notices.telegram.botTokenFile',
    state: 'warn',
    message: '/home/ann/.config/spillway/bot-token (mode 644) is open to others',
    hint: 'chmod 600 /home/ann/.config/spillway/bot-token',
  },
  { check: 'configuration', state: 'fail', message: 'spillway.yaml:1: x\nspillway.yaml:2: y', hint: null },
]

function shown(columns: number | undefined): string {
  let written = ''
  const write = (text: string) => {
    written += text
    return true
  }
  const stdout = { isTTY: columns !== undefined, columns, write }
  printDoctor(screenOf({ stdout, stderr: process.stderr, env: { NO_COLOR: '1' } }), rows)
  return written
}

test('without a terminal a line is as long as it is', () => {
  expect(shown(undefined)).toBe(`ok     node                            Node 24.1.0, fast path active
warn   notices.telegram.botTokenFile   /home/ann/.config/spillway/bot-token (mode 644) is open to others
                                       chmod 600 /home/ann/.config/spillway/bot-token
fail   configuration                   spillway.yaml:1: x
                                       spillway.yaml:2: y
`)
})

test.each([40, 60, 80, 120, 200])(
  'at %i columns no line is longer than the terminal, and no word is lost',
  (columns) => {
    const text = shown(columns)
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(columns)
    const whole = text.replace(/\s/g, '')
    for (const { message } of rows) expect(whole).toContain(message.replace(/\s/g, ''))
  },
)
