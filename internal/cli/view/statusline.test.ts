import { expect, test } from 'vitest'
import type { MemberShape, PoolShape } from '../../ops/ops.ts'
import { statusline } from './statusline.ts'

const now = Date.parse('2026-01-05T14:00:00Z')
const work = { name: 'work', active: true, usage: [] as MemberShape['usage'] } as MemberShape
const pool = {
  name: 'codex',
  active: 'work',
  retryAt: null,
  unreachable: null,
  forecast: { dryAt: null },
  members: [work],
} as unknown as PoolShape
const none = { active: null, members: [{ ...work, active: false }] }

const heard = { family: null, resetAt: null, seenAt: '2026-01-05T14:00:00Z', source: 'headers', cap: null } as const

test.each<[string, Partial<PoolShape>, string | RegExp]>([
  ['who serves', {}, 'codex: work'],
  [
    'how much of its windows is used',
    {
      members: [
        {
          ...work,
          usage: [
            { window: '5h', usedPercent: 41.2, ...heard },
            { window: '7d', usedPercent: 62.8, ...heard },
          ],
        },
      ],
    },
    'codex: work · 5h 41% · 7d 63%',
  ],
  [
    'when the pool runs dry',
    { forecast: { dryAt: '2026-01-08T14:00:00Z' } as PoolShape['forecast'] },
    /^codex: work · dry (?:Wed|Thu|Fri) \d\d:\d\d$/,
  ],
  [
    'when an exhausted pool is back',
    { ...none, retryAt: '2026-01-05T14:05:00Z' },
    /^codex: back in 5 min \(.*:05:00 .*\)$/,
  ],
  ['that its time is over', { ...none, retryAt: '2026-01-05T13:59:00Z' }, 'codex: can be tried again'],
  ['that a person must act', none, 'codex: a person must act'],
  [
    'the host that is down',
    { ...none, unreachable: { host: 'api.openai.com:443', since: '', retryAt: '' } },
    'codex: api.openai.com:443 is unreachable',
  ],
  ['an empty pool', { active: null, members: [] }, 'codex: no members'],
])('it says %s', (_name, more, expected) => {
  expect(statusline({ ...pool, ...more }, now)).toMatch(expected)
})
