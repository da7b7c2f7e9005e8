import { expect, test } from 'vitest'
import { noon, sample } from '../../../test/fakes/events.ts'
import { auditShape } from '../../audit/audit.ts'
import type { DomainEvent } from '../../events/events.ts'
import { eventKinds } from '../../events/events.ts'
import { screenOf } from '../screen.ts'
import { timesAt } from '../when.ts'
import { printAudit, whatOf } from './auditview.ts'

const shape = (event: DomainEvent, suppressed = 0) =>
  auditShape({ seq: 12, suppressed, hash: '0'.repeat(64), ...event, detail: { ...event.detail } })
const times = timesAt(noon)
const until = times.at(new Date(noon + 300_000).toISOString())

test.each<[string, DomainEvent, string]>([
  ['a cooldown', sample('cred_cooled', { to: null }), `openai: work (rate limited), status 429, until ${until}`],
  ['a failover', sample('cred_failover'), `openai: work → personal (rate limited), status 429, until ${until}`],
  [
    'a changed pool',
    sample('pool_changed', { from: null, to: null, reason: null, detail: { what: 'maxWaitMs=5000' } }),
    'openai: maxWaitMs=5000',
  ],
  [
    'a changed configuration',
    sample('config_changed', { pool: null, from: null, to: null, reason: null }),
    'log.level',
  ],
])('%s says what happened', (_name, event, expected) => {
  expect(whatOf(shape(event), times)).toBe(expected)
})

test('what was left out is counted', () => {
  expect(whatOf(shape(sample('member_cleared', { to: null, reason: 'operator' }), 3), times)).toBe(
    'openai: work, 3 more of the same',
  )
})

test.each([40, 60, 80, 100, 120, 200])('at %i columns every kind is whole, and no line is too long', (columns) => {
  let written = ''
  const write = (text: string) => {
    written += text
    return true
  }
  const screen = screenOf({ stdout: { isTTY: true, columns, write }, stderr: process.stderr, env: { NO_COLOR: '1' } })
  const rows = eventKinds.map((kind) => shape({ ...sample(kind), at: noon - 3 * 86_400_000 }))
  printAudit(screen, rows, noon)
  for (const line of written.split('\n')) expect(line.length).toBeLessThanOrEqual(columns)
  for (const kind of eventKinds) expect(written).toContain(kind)
})
