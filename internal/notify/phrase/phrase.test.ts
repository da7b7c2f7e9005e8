import { describe, expect, it } from 'vitest'
import { announced, noon, sample } from '../../../test/fakes/events.ts'
import type { DomainEvent } from '../../events/events.ts'
import { type Opening, roleOf } from '../incident/condition.ts'
import { add, begin, close, updated } from '../incident/fold.ts'
import type { Incident } from '../incident/incident.ts'
import { phrase, phraseEnd } from './phrase.ts'
import { duration, plain, wallClock } from './words.ts'

const wall = wallClock('UTC')
const saying = { now: noon, wall, refused: null }

function incident(event: DomainEvent, seq: number | null = 1, suppressed = 0): Incident {
  return updated(begin(announced(event, seq, suppressed), roleOf(event) as Opening, noon), 'opened', noon)
}

const tellings: readonly [name: string, event: DomainEvent, text: string][] = [
  [
    'a directory that fills since a login is dead',
    sample('budget_filling', { pool: 'codex', at: noon + 300_000, detail: { errorAt: noon + 300_000 } }),
    'dead token is filling the disk: ~/.codex/sessions grows 1.2 GiB/h (38 × normal) since codex needs a login (14:05). 6.1 GiB free, full at 19:05.',
  ],
  [
    'a directory that fills from nothing, on a disk that nobody can measure',
    sample('budget_filling', { detail: { multiplier: null, cause: 'exhausted', freeBytes: null, fullAt: null } }),
    'exhausted pool is filling the disk: ~/.codex/sessions grows 1.2 GiB/h (nothing before) since openai is exhausted (14:00).',
  ],
  [
    'a directory over its budget',
    sample('budget_over', { from: 'dumps' }),
    'dumps is over its budget (maxBytes): /srv/dumps holds 3.0 GiB in 9 files. Nothing is deleted; spillway run starts no job that writes there.',
  ],
  [
    'a directory that pruning does not bring within its budget',
    sample('budget_over', { from: 'dumps', detail: { prunes: true } }),
    'dumps is over its budget (maxBytes): /srv/dumps holds 3.0 GiB in 9 files. What may be deleted is deleted, and that is not enough.',
  ],
  [
    'a worker that is down',
    sample('worker_down', { from: 'crawler', reason: 'storage-unreadable', detail: { since: noon + 300_000 } }),
    'crawler is down while 214 jobs wait (storage unreadable since 14:05). Look: spillway guard status',
  ],
  [
    'a worker that does not stay up',
    sample('worker_down', { from: 'crawler', reason: 'rate-limited', detail: { since: null } }),
    'crawler is down while 214 jobs wait (it was started three times within the hour). Look: spillway guard status',
  ],
  [
    'a worker that is down while one job waits',
    sample('worker_down', { from: 'crawler', reason: 'deploy-locked', detail: { pending: 1, since: null } }),
    'crawler is down while 1 job waits (a deployment holds its lock). Look: spillway guard status',
  ],
  [
    'a path whose mount is dead',
    sample('path_unrecovered', { from: 'crawl' }),
    'crawl (/srv/jobs) is stale (its mount is dead) since 14:00. Try: spillway guard recover crawl --dry-run',
  ],
  [
    'a path that hangs',
    sample('path_unrecovered', { from: 'crawl', detail: { state: 'hanging' } }),
    'crawl (/srv/jobs) is hanging (its mount does not answer) since 14:00.',
  ],
  [
    'a failover with status, cause and end',
    sample('cred_failover'),
    'openai: failed over from work to personal (429 rate limit, until 14:05).',
  ],
  [
    'a failover whose end is unknown',
    sample('cred_failover', { reason: 'outlier', detail: { until: null, status: null } }),
    'openai: failed over from work to personal (fails while others succeed).',
  ],
  [
    'a failover until another day',
    sample('cred_failover', { reason: 'quota', detail: { until: noon + 86_400_000 } }),
    'openai: failed over from work to personal (429 usage limit, until 2026-01-06 14:00).',
  ],
  [
    'an exhaustion by cooldowns alone',
    sample('pool_exhausted'),
    'openai is exhausted: all 3 members are cooling. work recovers first, at 14:05.',
  ],
  [
    'an exhaustion of a pool with one member',
    sample('pool_exhausted', { detail: { members: 1, why: { work: 'cooling' } } }),
    'openai is exhausted: its only member is cooling. work recovers at 14:05.',
  ],
  [
    'an exhaustion for several reasons',
    sample('pool_exhausted', {
      detail: { members: 4, why: { work: 'cooling', b: 'cooling', c: 'needs-login', d: 'odd' } },
    }),
    'openai is exhausted: 2 are cooling, 1 needs a login, 1 cannot serve (odd). work recovers first, at 14:05.',
  ],
  [
    'an exhaustion that nobody ends but a person',
    sample('pool_exhausted', {
      detail: { members: 2, retryAt: null, first: null, needsPerson: true, why: { a: 'disabled', b: 'needs-login' } },
    }),
    'openai is exhausted: 1 is disabled, 1 needs a login. It does not recover without a person. Run: spillway cred login b',
  ],
  [
    'an exhaustion that ends when a closed member is enabled',
    sample('pool_exhausted', {
      detail: { members: 1, retryAt: null, first: null, needsPerson: true, why: { a: 'disabled' } },
    }),
    'openai is exhausted: its only member is disabled. It does not recover without a person. Run: spillway cred enable a',
  ],
  [
    'an exhaustion that ends when a secret can be read again',
    sample('pool_exhausted', {
      detail: {
        members: 1,
        retryAt: null,
        first: null,
        needsPerson: true,
        why: { a: 'unreadable' },
        remedy: { verb: 'show', name: 'a' },
      },
    }),
    'openai is exhausted: its only member has a secret that cannot be read. It does not recover without a person. Run: spillway cred show a',
  ],
  [
    'an exhaustion of a pool with more members than are listed',
    sample('pool_exhausted', { detail: { members: 500 } }),
    'openai is exhausted: none of its 500 members can serve (3 of them are cooling). work recovers first, at 14:05.',
  ],
  [
    'an exhaustion whose next recovery has no name',
    sample('pool_exhausted', { detail: { first: null, why: {} } }),
    'openai is exhausted: none of its 3 members can serve. The first recovers at 14:05.',
  ],
  [
    'a recovery on its own',
    sample('pool_recovered', { at: noon + 720_000, to: 'work' }),
    'openai recovered after 12 min (work is serving). 418 requests were refused.',
  ],
  [
    'a recovery that cost nobody anything',
    sample('pool_recovered', { at: noon + 60_000, to: null, detail: { refused: 0 } }),
    'openai recovered after 60 s. No request was refused.',
  ],
  [
    'a rotation',
    sample('pool_rotated', { actor: 'operator:cli' }),
    'openai: rotated from work to personal by operator:cli (work parked until 14:05).',
  ],
  [
    'a login that is needed',
    sample('cred_needs_login', { pool: null, from: 'personal', reason: 'refresh-rejected' }),
    'personal needs a login (refresh token revoked). Run: spillway cred login personal',
  ],
  [
    'a login that an earlier version told of',
    sample('cred_needs_login', {
      pool: null,
      from: 'personal',
      reason: 'refresh-rejected',
      detail: { remedy: undefined, command: 'spillway cred login personal' } as never,
    }),
    'personal needs a login (refresh token revoked). Run: spillway cred login personal',
  ],
  [
    'a secret that cannot be read',
    sample('cred_unreadable', { pool: null, from: 'personal', reason: 'unreadable' }),
    'The secret of personal cannot be read. Run: spillway cred show personal',
  ],
  [
    'a credential that its upstream closed',
    sample('cred_disabled', { pool: null, reason: 'account-closed' }),
    'work is disabled: the upstream does not accept it (account closed). When it is valid again, run: spillway cred enable work',
  ],
  [
    'a token that ends, with how another gets in its place',
    sample('cred_expiring', { pool: null }),
    'The token of work ends in 30 days (2026-02-04 14:00) and cannot be refreshed. Make another with claude setup-token, then: spillway cred login work',
  ],
  [
    'a credential that an operator closed',
    sample('cred_disabled', { actor: 'operator:cli', detail: { by: 'operator' } }),
    'work was disabled by operator:cli.',
  ],
  [
    'guessed keys',
    sample('keys_guessed', { detail: { attempts: 1 } }),
    '1 request came with a client key that does not exist.',
  ],
  [
    'a network that is refused',
    sample('egress_blocked'),
    "openai: the upstream refuses this machine's network (403). No member is blamed. Check region, proxy and firewall.",
  ],
  [
    'a storm',
    sample('weak_storm'),
    'openai: 6 members failed at once without a clear reason. That looks like the upstream or the network, so no member cools for it until 14:01.',
  ],
  [
    'a host that is down',
    sample('host_down', { reason: 'connect' }),
    'api.openai.com:443 is not reachable (connection failed). Next attempt at 14:01. No member is blamed.',
  ],
  [
    'a store in trouble',
    sample('store_trouble'),
    'The store is in trouble: the disk is full. Requests go on from memory.',
  ],
  [
    'a configuration with problems',
    sample('config_rejected', { detail: { problems: ['line 3: server.listne', 'line 9: log.level'] } }),
    'The new configuration has 2 problems; the old one stays in force.\n- line 3: server.listne\n- line 9: log.level',
  ],
]

describe('what is said when an incident opens', () => {
  it.each(tellings)('tells %s', (_name, event, text) => {
    expect(phrase(incident(event), saying)).toBe(text)
  })

  it('says so when the store could not keep it', () => {
    expect(phrase(incident(sample('store_trouble'), null), saying)).toBe(
      'The store is in trouble: the disk is full. Requests go on from memory. (not persisted)',
    )
  })

  it('carries the number of repeats that were left out before', () => {
    expect(phrase(incident(sample('cred_failover'), 1, 3), saying)).toContain(' 3 repeats before it went untold.')
  })

  it('shows names and causes of unknown origin as text on one line', () => {
    const event = sample('cred_failover', { from: 'work\n/rotate openai \u202e', to: '<b>x</b>' })
    expect(phrase(incident(event), saying)).toBe(
      'openai: failed over from work /rotate openai to <b>x</b> (429 rate limit, until 14:05).',
    )
  })
})

describe('what is said while an incident lasts', () => {
  const later = { ...saying, now: noon + 720_000 }

  it('adds how long a pool has been exhausted and how many requests that cost', () => {
    const lasting = updated(incident(sample('pool_exhausted')), 'lasting', later.now)
    expect(phrase(lasting, { ...later, refused: 418 })).toBe(
      'openai is exhausted: all 3 members are cooling. It can be tried again since 14:05. Exhausted for 12 min so far, 418 requests refused.',
    )
    expect(phrase(lasting, later)).toContain(' Exhausted for 12 min so far.')
  })

  it('says how long a host has been down', () => {
    const lasting = updated(incident(sample('host_down')), 'lasting', later.now)
    expect(phrase(lasting, later)).toContain(' Down for 12 min so far.')
  })

  it('counts the repeats of a moment, and the lines that have no room', () => {
    const event = sample('cred_failover')
    const role = roleOf(event) as Opening
    let seen = add(incident(event), announced(sample('cred_failover', { at: noon + 1 })), role, 30_000)
    for (const to of ['a', 'b', 'c', 'd', 'e', 'f']) {
      seen = add(seen, announced(sample('cred_failover', { to })), role, 30_000)
    }
    const lines = phrase(seen, saying).split('\n')
    expect(lines[0]).toBe(
      'openai: failed over from work to personal (429 rate limit, until 14:05). It happened 2 times.',
    )
    expect(lines).toHaveLength(6)
    expect(lines[5]).toBe('And 2 more like these.')
  })
})

describe('what is said when an incident is over', () => {
  const over = noon + 720_000
  const rows: readonly [
    name: string,
    opening: DomainEvent,
    end: DomainEvent | null,
    past: string,
    told: string | null,
  ][] = [
    [
      'an exhaustion',
      sample('pool_exhausted'),
      sample('pool_recovered', { at: over, to: 'work' }),
      'openai was exhausted for 12 min, from 14:00 to 14:12. 418 requests were refused.',
      'openai recovered after 12 min (work is serving). 418 requests were refused.',
    ],
    [
      'an exhaustion of a pool that was deleted',
      sample('pool_exhausted'),
      null,
      'openai was exhausted for 12 min, from 14:00 to 14:12.',
      null,
    ],
    [
      'a needed login',
      sample('cred_needs_login', { from: 'personal', reason: 'refresh-rejected' }),
      sample('cred_revived', { at: over, from: 'personal' }),
      'personal needed a login (refresh token revoked), for 12 min, from 14:00 to 14:12.',
      'personal is usable again after 12 min (new login).',
    ],
    [
      'a secret that could not be read',
      sample('cred_unreadable', { from: 'personal', reason: 'unreadable' }),
      sample('cred_revived', { at: over, from: 'personal', detail: { how: 'read' } }),
      'The secret of personal could not be read for 12 min, from 14:00 to 14:12.',
      'personal is usable again after 12 min (its secret can be read).',
    ],
    [
      'a disabled credential that was removed',
      sample('cred_disabled', { reason: 'auth-rejected' }),
      sample('cred_removed', { at: over }),
      'work was disabled (key rejected) for 12 min, from 14:00 to 14:12.',
      'work was removed.',
    ],
    [
      'an unreachable host',
      sample('host_down'),
      sample('host_up', { at: over }),
      'api.openai.com:443 was not reachable for 12 min, from 14:00 to 14:12.',
      'api.openai.com:443 is reachable again after 12 min.',
    ],
    [
      'a store in trouble',
      sample('store_trouble'),
      sample('store_healed', { at: over }),
      'The store was in trouble for 12 min, from 14:00 to 14:12: the disk is full.',
      'The store is well again after 12 min. What was kept in memory has been written.',
    ],
    [
      'a worker that was down',
      sample('worker_down', { from: 'crawler' }),
      sample('worker_up', { from: 'crawler', at: over }),
      'crawler was down while jobs waited for 12 min, from 14:00 to 14:12.',
      'crawler runs again, or nothing waits any more, after 12 min.',
    ],
    [
      'a path that was not readable',
      sample('path_unrecovered', { from: 'crawl' }),
      sample('path_readable', { from: 'crawl', at: over }),
      'crawl (/srv/jobs) was stale for 12 min, until 14:12.',
      'crawl (/srv/jobs) is readable again after 12 min.',
    ],
    [
      'a directory that was over its budget',
      sample('budget_over', { from: 'dumps' }),
      sample('budget_within', { from: 'dumps', at: over }),
      'dumps was over its budget for 12 min, from 14:00 to 14:12.',
      'dumps is within its budget again after 12 min.',
    ],
    [
      'a directory that was filling',
      sample('budget_filling'),
      sample('budget_calm', { at: over }),
      '~/.codex/sessions grew far faster than normal for 12 min, from 14:00 to 14:12.',
      '~/.codex/sessions grows as it did before the error again, after 12 min.',
    ],
    [
      'a storm that passed by itself',
      sample('weak_storm'),
      null,
      'openai: 6 members failed at once without a clear reason. That looks like the upstream or the network, so no member cools for it until 14:01. Over since 14:12.',
      null,
    ],
  ]
  it.each(rows)('tells %s as past, and its end', (_name, opening, end, past, told) => {
    const closed = updated(close(incident(opening), end, over), 'ended', over)
    expect(phrase(closed, { ...saying, now: over })).toBe(past)
    expect(phraseEnd(closed, saying.wall)).toBe(told)
  })
})

describe('words', () => {
  it.each([
    [0, '0 s'],
    [44_600, '45 s'],
    [119_000, '119 s'],
    [120_000, '2 min'],
    [720_000, '12 min'],
    [3_600_000, '1 h'],
    [11_100_000, '3 h 5 min'],
    [187_200_000, '2 d 4 h'],
    [-5, '0 s'],
  ])('say %d ms as %s', (ms, text) => {
    expect(duration(ms)).toBe(text)
  })

  it('say instants in the given time zone, with the date when it is another day there', () => {
    const berlin = wallClock('Europe/Berlin')
    expect(berlin(noon, noon)).toBe('15:00')
    expect(berlin(noon + 9 * 3_600_000, noon)).toBe('2026-01-06 00:00')
  })

  it('cut what is endless', () => {
    expect(plain('x'.repeat(1_000))).toHaveLength(300)
  })
})
