import { expect, test } from 'vitest'
import { screenOf } from '../screen.ts'
import { printListing } from './listing.ts'

const all = [
  { name: 'work', state: 'rate limited, back in 4 min (20:38:40 UTC)', facts: ['team, ci', 'openai', ''] },
  { name: 'personal', state: 'healthy', facts: ['', 'openai', '…1234 3cd33eed'] },
]

function shown(columns: number | undefined): string[] {
  let written = ''
  const write = (text: string) => {
    written += text
    return true
  }
  const stdout = { isTTY: columns !== undefined, columns, write }
  const screen = screenOf({ stdout, stderr: process.stderr, env: { NO_COLOR: '1' } })
  printListing(screen, ['NAME', 'HEALTH', 'POOLS', 'PROVIDER', 'IDENTITY'], all)
  return written.trimEnd().split('\n')
}

test('without a terminal every fact is shown', () => {
  expect(shown(undefined)).toEqual([
    'NAME       HEALTH                                      POOLS     PROVIDER  IDENTITY',
    'work       rate limited, back in 4 min (20:38:40 UTC)  team, ci  openai    -',
    'personal   healthy                                     -         openai    …1234 3cd33eed',
  ])
})

test('facts that have no room are left out, the least important first', () => {
  expect(shown(64)).toEqual([
    'NAME       HEALTH                                      POOLS',
    'work       rate limited, back in 4 min (20:38:40 UTC)  team, ci',
    'personal   healthy                                     -',
  ])
})

test.each([40, 80, 120])('no line is longer than %i columns, and no name or state is cut', (columns) => {
  const lines = shown(columns)
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns)
  expect(lines.join(' ').replace(/ +/g, ' ')).toContain('rate limited, back in 4 min')
})
