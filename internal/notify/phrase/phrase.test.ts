import { describe, expect, it } from 'vitest'
import { announced, noon, sample } from '../../../test/fakes/events.ts'
import type { DomainEvent } from '../../events/events.ts'
import { inUtc, weekdayIn } from '../../when/when.ts'
import { type Opening, roleOf } from '../incident/condition.ts'
import { add, begin, close, reopen, updated } from '../incident/fold.ts'
import type { Incident } from '../incident/incident.ts'
import { message, signed, turn } from './phrase.ts'
import type { Saying } from './saying.ts'
import { summary } from './summary.ts'
import { listed, plain } from './words.ts'

const saying: Saying = { now: noon, instant: inUtc, weekday: weekdayIn('UTC'), host: 'node7', refused: null, pools: [] }
const said = (incident: Incident, more: Partial<Saying> = {}) =>
  message([incident], () => ({ ...saying, ...more })).text

function incident(event: DomainEvent, seq: number | null = 1, suppressed = 0): Incident {
  return updated(begin(announced(event, seq, suppressed), roleOf(event) as Opening, noon), 'opened', noon)
}

const tellings: readonly [name: string, event: DomainEvent, text: string][] = [
  [
    'a backup that serves until tier 1 returns',
    sample('backup_serves', { from: null, to: 'backup' }),
    'openai: tier 2 serves (backup) since 14:00:00 UTC. Tier 1 returns at 16:25:00 UTC. Look: spillway pool explain openai',
  ],
  [
    'a backup that helps out for one model',
    sample('backup_serves', { from: null, to: 'backup', detail: { until: null, helpsOut: true, model: 'opus' } }),
    'openai: tier 2 serves (backup) for opus since 14:00:00 UTC. Look: spillway pool explain openai',
  ],
  [
    'a pool that runs dry',
    sample('pool_runs_dry', { pool: 'codex' }),
    'codex runs dry Thu 14:00, 19 h before the next relief (work, Fri 09:00). ci burns 62 %. Look: spillway pool forecast codex',
  ],
  [
    'a pool that runs dry for good, nobody knows by whom',
    sample('pool_runs_dry', { pool: 'codex', detail: { reliefAt: null, reliefMember: null, burner: null } }),
    'codex runs dry Thu 14:00, and no member returns by itself. Look: spillway pool forecast codex',
  ],
  [
    'a weekly limit that was reset early',
    sample('cred_reset', { from: 'work' }),
    'work is back 5 days early (its weekly limit was reset).',
  ],
  [
    'a limit of five hours that was reset early',
    sample('cred_reset', { from: 'work', detail: { until: noon + 7_200_000, window: '5h' } }),
    'work is back 2 h early (its 5 h limit was reset).',
  ],
  [
    'a limit of a model, and one of an unknown length, that were reset early',
    sample('cred_reset', { from: 'work', detail: { window: '7d_opus' } }),
    'work is back 5 days early (its weekly limit of opus was reset).',
  ],
  [
    'a limit that was reset early, nobody knows which',
    sample('cred_reset', { from: 'work', detail: { window: null } }),
    'work is back 5 days early (its limit was reset).',
  ],
  [
    'a directory that fills since a login is dead',
    sample('budget_filling', { pool: 'codex', at: noon + 300_000, detail: { errorAt: noon + 300_000 } }),
    'dead token is filling the disk: ~/.codex/sessions grows 1.2 GiB/h (38 × normal) since codex needs a login (14:05:00 UTC). 6.1 GiB free, full at 19:05:00 UTC. Look: spillway guard evidence',
  ],
  [
    'a directory that fills from nothing, on a disk that nobody can measure',
    sample('budget_filling', { detail: { multiplier: null, cause: 'exhausted', freeBytes: null, fullAt: null } }),
    'exhausted pool is filling the disk: ~/.codex/sessions grows 1.2 GiB/h (nothing before) since openai is exhausted (14:00:00 UTC). Look: spillway guard evidence',
  ],
  [
    'a directory over its budget',
    sample('budget_over', { from: 'dumps' }),
    'dumps is over its budget (maxBytes): /srv/dumps holds 3.0 GiB in 9 files. Nothing is deleted; spillway run starts no job that writes there. Look: spillway guard enforce dumps --dry-run',
  ],
  [
    'a directory that pruning does not bring within its budget',
    sample('budget_over', { from: 'dumps', detail: { prunes: true } }),
    'dumps is over its budget (maxBytes): /srv/dumps holds 3.0 GiB in 9 files. What may be deleted is deleted, and that is not enough. Look: spillway guard enforce dumps --dry-run',
  ],
  [
    'a worker that is down',
    sample('worker_down', { from: 'crawler', reason: 'storage-unreadable', detail: { since: noon + 300_000 } }),
    'crawler is down while 214 jobs wait (storage unreadable since 14:05:00 UTC). Look: spillway guard status',
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
    'crawl (/srv/jobs) is stale (its mount is dead) since 14:00:00 UTC. Run: spillway guard recover crawl --dry-run',
  ],
  [
    'a path that hangs',
    sample('path_unrecovered', { from: 'crawl', detail: { state: 'hanging' } }),
    'crawl (/srv/jobs) is hanging (its mount does not answer) since 14:00:00 UTC. Run: spillway guard probe crawl',
  ],
  [
    'a failover with status, cause and end',
    sample('cred_failover'),
    'openai: failed over from work to personal (429 rate limit, until 14:05:00 UTC); nobody was refused. Look: spillway pool explain openai',
  ],
  [
    'a failover whose end is unknown',
    sample('cred_failover', { reason: 'outlier', detail: { until: null, status: null } }),
    'openai: failed over from work to personal (fails while others succeed); nobody was refused. Look: spillway pool explain openai',
  ],
  [
    'a failover until another day',
    sample('cred_failover', { reason: 'quota', detail: { until: noon + 86_400_000 } }),
    'openai: failed over from work to personal (429 usage limit, until 2026-01-06 14:00 UTC); nobody was refused. Look: spillway pool explain openai',
  ],
  [
    'an exhaustion by cooldowns alone',
    sample('pool_exhausted'),
    'openai is exhausted: all 3 members are cooling. work recovers first, at 14:05:00 UTC (in 5 min). Look: spillway pool explain openai',
  ],
  [
    'an exhaustion of a pool with one member',
    sample('pool_exhausted', { detail: { members: 1, why: { work: 'cooling' } } }),
    'openai is exhausted: its only member is cooling. work recovers at 14:05:00 UTC (in 5 min). Look: spillway pool explain openai',
  ],
  [
    'an exhaustion for several reasons',
    sample('pool_exhausted', {
      detail: { members: 4, why: { work: 'cooling', b: 'cooling', c: 'needs-login', d: 'odd' } },
    }),
    'openai is exhausted: 2 are cooling, 1 needs a login, 1 cannot serve (odd). work recovers first, at 14:05:00 UTC (in 5 min). Look: spillway pool explain openai',
  ],
  [
    'an exhaustion that nobody ends but a person',
    sample('pool_exhausted', {
      detail: { members: 2, retryAt: null, first: null, needsPerson: true, why: { a: 'disabled', b: 'needs-login' } },
    }),
    'openai is exhausted: 1 is disabled, 1 needs a login. Run: spillway cred login b',
  ],
  [
    'an exhaustion that ends when a closed member is enabled',
    sample('pool_exhausted', {
      detail: { members: 1, retryAt: null, first: null, needsPerson: true, why: { a: 'disabled' } },
    }),
    'openai is exhausted: its only member is disabled. Run: spillway cred replace a',
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
    'openai is exhausted: its only member has a secret that cannot be read. Run: spillway cred show a',
  ],
  [
    'an exhaustion of a pool with more members than are listed',
    sample('pool_exhausted', { detail: { members: 500 } }),
    'openai is exhausted: none of its 500 members can serve (3 of them are cooling). work recovers first, at 14:05:00 UTC (in 5 min). Look: spillway pool explain openai',
  ],
  [
    'an exhaustion whose next recovery has no name',
    sample('pool_exhausted', { detail: { first: null, why: {} } }),
    'openai is exhausted: none of its 3 members can serve. The first recovers at 14:05:00 UTC (in 5 min). Look: spillway pool explain openai',
  ],
  [
    'a recovery on its own',
    sample('pool_recovered', { at: noon + 720_000, to: 'work' }),
    'openai recovered after 12 min (work is serving). 418 requests were refused.',
  ],
  [
    'a recovery that cost nobody anything',
    sample('pool_recovered', { at: noon + 60_000, to: null, detail: { refused: 0 } }),
    'openai recovered after 60 s. Nobody was refused.',
  ],
  [
    'a rotation',
    sample('pool_rotated', { actor: 'operator:cli' }),
    'openai: rotated from work to personal by operator:cli (work parked until 14:05:00 UTC). Run: spillway pool unpark openai work',
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
    'work is disabled: the upstream does not accept it (account closed). Run: spillway cred replace work',
  ],
  [
    'a token that ends, with how another gets in its place',
    sample('cred_expiring', { pool: null }),
    'The token of work ends in 30 d (2026-02-04 14:00 UTC) and cannot be refreshed. Make another with claude setup-token. Run: spillway cred login work',
  ],
  [
    'a shared login that has become another account',
    sample('cred_account_changed', { detail: { before: 'me@a.example', after: 'you@b.example' } }),
    'work is another account now: me@a.example → you@b.example.',
  ],
  [
    'a credential that an operator closed',
    sample('cred_disabled', { actor: 'operator:cli', detail: { by: 'operator' } }),
    'work was disabled by operator:cli. Run: spillway cred enable work',
  ],
  [
    'guessed keys',
    sample('keys_guessed', { detail: { attempts: 1 } }),
    '1 request came with a client key that does not exist, and got 401. Look: spillway key list',
  ],
  [
    'a network that is refused',
    sample('egress_blocked'),
    "openai: the upstream refuses this machine's network (403). No member is blamed. Check region, proxy and firewall. Look: spillway doctor",
  ],
  [
    'a storm',
    sample('weak_storm'),
    'openai: 6 members failed at once without a clear reason. That looks like the upstream or the network, so no member cools for it until 14:01:00 UTC. Look: spillway pool explain openai',
  ],
  [
    'a host that is down',
    sample('host_down', { reason: 'connect' }),
    'api.openai.com:443 is not reachable (connection failed). No member is blamed, and it is tried again by itself at least once a minute. Look: spillway doctor',
  ],
  [
    'a store in trouble',
    sample('store_trouble'),
    'The store is in trouble: the disk is full. Requests go on from memory. Look: spillway doctor',
  ],
  [
    'a disk that is short of room',
    sample('store_trouble', {
      detail: { disk: { freeBytes: 64.23 * 1024 ** 3, reserveBytes: 900 * 1024 ** 3, path: '/data' } },
    }),
    'Disk low on node7: 64 GiB free in /data, reserve 900 GiB. Requests go on; counts of repeats are not written. Free space or change disk.reserveBytes. Look: spillway doctor',
  ],
  [
    'a configuration with problems',
    sample('config_rejected', { detail: { problems: ['line 3: server.listne', 'line 9: log.level'] } }),
    'The new configuration has 2 problems; the old one stays in force.\n- line 3: server.listne\n- line 9: log.level\nLook: spillway doctor',
  ],
]

describe('what is said when an incident opens', () => {
  it.each(tellings)('tells %s', (_name, event, text) => {
    expect(said(incident(event))).toBe(text)
  })

  it('says so when the store could not keep it', () => {
    expect(said(incident(sample('store_trouble'), null))).toBe(
      'The store is in trouble: the disk is full. Requests go on from memory. (not persisted) Look: spillway doctor',
    )
  })

  it('shows names and causes of unknown origin as text on one line', () => {
    const event = sample('cred_failover', { from: 'work\n/rotate openai \u202e', to: '<b>x</b>' })
    expect(said(incident(event))).toBe(
      'openai: failed over from work /rotate openai to <b>x</b> (429 rate limit, until 14:05:00 UTC); nobody was refused. Look: spillway pool explain openai',
    )
  })
})

describe('what is said while an incident lasts', () => {
  const now = noon + 720_000
  const lasting = (event: DomainEvent) => updated(incident(event), 'lasting', now)

  it('adds how long a pool has been exhausted and how many requests that cost', () => {
    expect(said(lasting(sample('pool_exhausted')), { now, refused: 418 })).toBe(
      'openai is exhausted: all 3 members are cooling. It can be tried again since 14:05:00 UTC. Exhausted for 12 min so far, 418 requests refused. Look: spillway pool explain openai',
    )
    expect(said(lasting(sample('pool_exhausted')), { now })).toContain(' Exhausted for 12 min so far.')
  })

  it('says of a host how long it has been down, for whom, and what that cost', () => {
    const pools = [
      { name: 'openai', active: null },
      { name: 'codex', active: null },
      { name: 'night', active: 'spare' },
    ]
    expect(said(lasting(sample('host_down', { reason: 'connect' })), { now, pools, refused: 31 })).toBe(
      'api.openai.com:443 is not reachable (connection failed). No member is blamed, and it is tried again by itself at least once a minute. 503 for openai and codex, 31 requests refused, night goes on with spare. Down for 12 min so far. Look: spillway doctor',
    )
  })

  it('says of a credential who goes on', () => {
    const event = sample('cred_needs_login', { pool: null, reason: 'refresh-rejected' })
    expect(said(incident(event), { pools: [{ name: 'openai', active: 'personal' }] })).toBe(
      'work needs a login (refresh token revoked). openai goes on with personal, nobody was refused. Run: spillway cred login work',
    )
    expect(said(incident(event), { pools: [{ name: 'openai', active: null }] })).not.toContain('refused')
  })

  it('counts failovers, and shows the last', () => {
    const event = sample('cred_failover')
    const role = roleOf(event) as Opening
    const next = sample('cred_failover', { at: noon + 1, from: 'personal', to: 'spare' })
    expect(said(add(incident(event), announced(next, 2, 12), role))).toBe(
      'openai: 14 failovers in the last hour, nobody was refused. The last: from personal to spare (429 rate limit, until 14:05:00 UTC). Look: spillway pool explain openai',
    )
  })

  it('says that it has come back, and since when', () => {
    const event = sample('pool_exhausted')
    const over = close(incident(event), sample('pool_recovered', { at: noon + 60_000 }), noon + 60_000)
    const back = sample('pool_exhausted', { at: noon + 120_000 })
    const reopened = reopen(over, announced(back), roleOf(back) as Opening)
    expect(said(reopened)).toContain(' It has come back: 2 times since 14:00:00 UTC. Look:')
    expect(turn(reopened, saying)).toBeNull()
    expect(turn({ ...reopened, isBack: true }, saying)).toContain('openai is exhausted')
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
      'openai was exhausted for 12 min, from 14:00:00 to 14:12:00 UTC. 418 requests were refused.',
      'openai recovered after 12 min (work is serving). 418 requests were refused.',
    ],
    [
      'an exhaustion of a pool that was deleted',
      sample('pool_exhausted'),
      null,
      'openai was exhausted for 12 min, from 14:00:00 to 14:12:00 UTC.',
      null,
    ],
    [
      'a needed login',
      sample('cred_needs_login', { from: 'personal', reason: 'refresh-rejected' }),
      sample('cred_revived', { at: over, from: 'personal' }),
      'personal needed a login (refresh token revoked) for 12 min, from 14:00:00 to 14:12:00 UTC.',
      'personal is usable again after 12 min (new login).',
    ],
    [
      'a secret that could not be read',
      sample('cred_unreadable', { from: 'personal', reason: 'unreadable' }),
      sample('cred_revived', { at: over, from: 'personal', detail: { how: 'read' } }),
      'The secret of personal could not be read for 12 min, from 14:00:00 to 14:12:00 UTC.',
      'personal is usable again after 12 min (its secret can be read).',
    ],
    [
      'a disabled credential that was removed',
      sample('cred_disabled', { reason: 'auth-rejected' }),
      sample('cred_removed', { at: over }),
      'work was disabled (key rejected) for 12 min, from 14:00:00 to 14:12:00 UTC.',
      'work was removed.',
    ],
    [
      'an unreachable host',
      sample('host_down'),
      sample('host_up', { at: over }),
      'api.openai.com:443 was not reachable for 12 min, from 14:00:00 to 14:12:00 UTC.',
      'api.openai.com:443 is reachable again after 12 min.',
    ],
    [
      'an unreachable host that has cost something',
      sample('host_down'),
      sample('host_up', { at: over, detail: { refused: 31, pools: ['openai', 'codex'] } }),
      'api.openai.com:443 was not reachable for 12 min, from 14:00:00 to 14:12:00 UTC.',
      'api.openai.com:443 is reachable again after 12 min. 31 requests for openai and codex got 503.',
    ],
    [
      'a configuration with problems',
      sample('config_rejected'),
      sample('config_changed', { at: over }),
      'The configuration had 1 problem for 12 min, from 14:00:00 to 14:12:00 UTC.',
      'The configuration is well again after 12 min, and in force.',
    ],
    [
      'a disk that was short of room',
      sample('store_trouble', { detail: { disk: { freeBytes: 1, reserveBytes: 2, path: '/data' } } }),
      sample('store_healed', { at: over, detail: { disk: true } }),
      'The disk of /data was low for 12 min, from 14:00:00 to 14:12:00 UTC.',
      'There is enough free disk again on node7 after 12 min.',
    ],
    [
      'a store in trouble',
      sample('store_trouble'),
      sample('store_healed', { at: over }),
      'The store was in trouble for 12 min, from 14:00:00 to 14:12:00 UTC: the disk is full.',
      'The store is well again after 12 min. What was kept in memory has been written.',
    ],
    [
      'a worker that was down',
      sample('worker_down', { from: 'crawler' }),
      sample('worker_up', { from: 'crawler', at: over }),
      'crawler was down while jobs waited for 12 min, from 14:00:00 to 14:12:00 UTC.',
      'crawler runs again, or nothing waits any more, after 12 min.',
    ],
    [
      'a path that was not readable',
      sample('path_unrecovered', { from: 'crawl' }),
      sample('path_readable', { from: 'crawl', at: over }),
      'crawl (/srv/jobs) was stale for 12 min, from 14:00:00 to 14:12:00 UTC.',
      'crawl (/srv/jobs) is readable again after 12 min.',
    ],
    [
      'a directory that was over its budget',
      sample('budget_over', { from: 'dumps' }),
      sample('budget_within', { from: 'dumps', at: over }),
      'dumps was over its budget for 12 min, from 14:00:00 to 14:12:00 UTC.',
      'dumps is within its budget again after 12 min.',
    ],
    [
      'a directory that was filling',
      sample('budget_filling'),
      sample('budget_calm', { at: over }),
      '~/.codex/sessions grew far faster than normal for 12 min, from 14:00:00 to 14:12:00 UTC.',
      '~/.codex/sessions grows as it did before the error again, after 12 min.',
    ],
    [
      'a storm that passed by itself',
      sample('weak_storm'),
      null,
      'openai: 6 members failed at once without a clear reason. That looks like the upstream or the network, so no member cools for it until 14:01:00 UTC. Over since 14:12:00 UTC.',
      null,
    ],
  ]
  it.each(rows)('tells %s as past, and its end', (_name, opening, end, past, told) => {
    const closed = updated(close(incident(opening), end, over), 'ended', over)
    expect(said(closed, { now: over })).toBe(past)
    expect(turn(closed, { ...saying, now: over })).toBe(told)
  })
})

describe('words', () => {
  it('cut what is endless', () => {
    expect(plain('x'.repeat(1_000))).toHaveLength(300)
  })

  it.each([
    [[], ''],
    [['a'], 'a'],
    [['a', 'b'], 'a and b'],
    [['a', 'b', 'c'], 'a, b and c'],
  ])('list %j as %s', (names, text) => {
    expect(listed(names)).toBe(text)
  })

  it('name the machine below', () => {
    expect(signed('openai recovered.', 'node7\n<b>')).toBe('openai recovered.\n— node7 <b>')
  })
})

describe('the command', () => {
  it('stands in the text as it is typed, behind all sentences, and one is enough for what has one cause', () => {
    const exhausted = incident(
      sample('pool_exhausted', { detail: { members: 1, retryAt: null, why: { work: 'needs-login' } } }),
    )
    const dead = incident(sample('cred_needs_login', { pool: null }))
    const { text, command } = message([updated(exhausted, 'lasting', noon), dead], () => ({ ...saying, refused: 1 }))
    expect(command).toBe('spillway cred login work')
    expect(text.endsWith(`Run: ${command}`)).toBe(true)
    expect(text.split('spillway')).toHaveLength(2)
  })

  it('is none when all is over', () => {
    const over = close(incident(sample('cred_needs_login')), null, noon)
    expect(message([over], () => saying).command).toBeNull()
  })
})

it('sums up at most ten incidents', () => {
  const over = close(incident(sample('host_down')), null, noon + 60_000)
  const lines = summary(Array(12).fill(over), () => saying).split('\n')
  expect(lines[0]).toBe('While notices were muted, 12 incidents began and ended:')
  expect(lines).toHaveLength(12)
  expect(lines[11]).toBe('and 2 more; spillway audit list shows them')
})
