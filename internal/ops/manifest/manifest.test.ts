import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { addCredentials, type Bench, startBench } from '../../../test/fakes/rig/operations.ts'
import type { Ops } from '../ops.ts'

let bench: Bench
let ops: Ops

beforeEach(async () => {
  bench = await startBench({ env: { WORK: 'sk-work', HOME_KEY: 'sk-home' } })
  ops = bench.ops
})
afterEach(() => bench.stop())

const both = `credentials:
  work: { provider: openai, source: { env: WORK }, domain: org }
  home:
    provider: openai
    source: { env: HOME_KEY }
    baseUrl: https://gateway.example/
pools:
  openai:
    provider: openai
    members: [work, { member: home, weight: 3 }]
    strategy: weighted
    maxWaitMs: 30s
`

const apply = (text: string, dryRun = false) => ops.apply({ text, file: 'pools.yaml', folder: '/etc/spillway', dryRun })
const actions = async (text: string) =>
  (await apply(text)).changes.map(({ name, action, what }) => [name, action, ...what])

describe('apply', () => {
  test('makes what the file says, and does nothing the second time', async () => {
    expect(await apply(both)).toEqual({
      dryRun: false,
      changes: [
        { kind: 'credential', name: 'work', action: 'create', what: ['openai'] },
        { kind: 'credential', name: 'home', action: 'create', what: ['openai'] },
        { kind: 'pool', name: 'openai', action: 'create', what: ['openai', 'members work, home'] },
      ],
    })
    expect(await ops.poolStatus({ name: 'openai' })).toMatchObject({
      strategy: 'weighted',
      maxWaitMs: 30_000,
      members: [
        { name: 'work', weight: 1, domain: 'org', host: 'api.openai.com' },
        { name: 'home', weight: 3, host: 'gateway.example' },
      ],
    })
    const rows = bench.store.rows.length
    expect((await apply(both)).changes.map(({ action }) => action)).toEqual(['unchanged', 'unchanged', 'unchanged'])
    expect(bench.store.rows).toHaveLength(rows)
  })

  test('changes nothing in a dry run, but says what it would do', async () => {
    expect((await apply(both, true)).changes.map(({ action }) => action)).toEqual(['create', 'create', 'create'])
    expect(await ops.poolList({})).toEqual([])
    expect(await ops.credList({})).toEqual([])
  })

  test('brings members, weights, order and settings to what the file says', async () => {
    await apply(both)
    await addCredentials(ops, ['extra'])
    const changed = `pools:
  openai:
    provider: openai
    members: [extra, { member: home, weight: 5 }]
    strategy: ordered
`
    expect(await actions(changed)).toEqual([
      [
        'openai',
        'change',
        'strategy ordered',
        'maxWaitMs default',
        'with extra',
        'without work',
        'home with weight 5',
        'order extra, home',
      ],
    ])
    expect(await ops.poolStatus({ name: 'openai' })).toMatchObject({
      strategy: 'ordered',
      maxWaitMs: null,
      members: [
        { name: 'extra', weight: 1 },
        { name: 'home', weight: 5 },
      ],
    })
    const turned = changed.replace('[extra, { member: home, weight: 5 }]', '[{ member: home, weight: 5 }, extra]')
    expect(await actions(turned)).toEqual([['openai', 'change', 'order home, extra']])
    expect((await ops.poolStatus({ name: 'openai' })).members.map(({ name }) => name)).toEqual(['home', 'extra'])
  })

  test('tells every problem with its line, and does nothing', async () => {
    await addCredentials(ops, ['claude'], 'anthropic')
    const text = `credentials:
  work: { provider: openai, source: { env: WORK } }
  lost: { provider: openai, source: vault }
  bad/name: { provider: openai, source: { env: WORK } }
  inside: { provider: openai, source: { env: WORK }, baseUrl: http://169.254.169.254 }
pools:
  openai:
    provider: openai
    members:
      - wrok
      - claude
    strategy: stiky
  far:
    provider: generic
    members: []
    onExhausted: perhaps
`
    await expect(apply(text)).rejects.toMatchObject({
      code: 'invalid',
      hint: 'nothing was changed',
      message: [
        'pools.yaml:3: credentials.lost: its secret is in no vault yet (spillway cred add lost --provider openai puts it there)',
        'pools.yaml:4: credentials.bad/name: "bad/name" cannot be the name of a credential (a name has 1 to 63 letters, digits, dots, underscores and hyphens, and begins with a letter or digit)',
        'pools.yaml:5: credentials.inside: 169.254.169.254 is a private or link-local address (allow it on purpose with upstream.allowPrivate: [169.254.169.254/32] in spillway.yaml)',
        'pools.yaml:10: pools.openai.members.0: no credential named wrok; did you mean work?',
        'pools.yaml:11: pools.openai.members.1: claude is a credential of anthropic, the pool is one of openai',
        'pools.yaml:12: pools.openai.strategy: "stiky" is not a strategy; did you mean sticky? (one of sticky, ordered, round-robin, least-loaded, weighted, expiring-first)',
        'pools.yaml:16: pools.far.onExhausted: "perhaps" is not a value of onExhausted (one of reject, degrade, hold)',
      ].join('\n'),
    })
    expect((await ops.credList({})).map(({ name }) => name)).toEqual(['claude'])
  })

  test.each<[string, string, string]>([
    ['an unknown key at the top', 'pool: {}\n', 'pools.yaml:1: pool: unknown key (did you mean pools?)'],
    [
      'an unknown key of a pool',
      'pools:\n  p:\n    provider: openai\n    membrs: []\n    members: []\n',
      'pools.yaml:4: pools.p.membrs: unknown key (did you mean members?)',
    ],
    [
      'a secret in the file',
      'credentials:\n  w: { provider: openai, source: { secret: x } }\n',
      'pools.yaml:2: credentials.w.source: must be vault, {env: …}, {file: …} or {command: …}',
    ],
    [
      'settings of a member that are none',
      'pools:\n  p:\n    provider: openai\n    members:\n      - { member: a, tier: 0, caps: { 7d: 500 }, tire: 3 }\n      - 3\n',
      [
        'pools.yaml:5: pools.p.members.0.tier: must be at least 1',
        'pools.yaml:5: pools.p.members.0.caps.7d: must be at most 100',
        'pools.yaml:5: pools.p.members.0.tire: unknown key (did you mean tier?)',
        'pools.yaml:6: pools.p.members.1: must be text, or names with their values',
      ].join('\n'),
    ],
  ])('refuses %s', async (_name, text, message) => {
    await expect(apply(text)).rejects.toMatchObject({ code: 'invalid', message })
  })

  test('refuses a name that is given twice', async () => {
    const pool = 'p: { provider: openai, members: [] }'
    await expect(apply(`pools:\n  ${pool}\n  ${pool}\n`)).rejects.toThrow(
      'pools.yaml:3: pools.p: given twice, first on line 2',
    )
  })

  test('does not quietly ignore what it cannot change', async () => {
    await apply(both)
    await expect(apply(both.replace('domain: org', 'domain: other'))).rejects.toMatchObject({
      message:
        'pools.yaml:2: credentials.work: the credential exists and has domain org (spillway cred remove work first, or say it as it is)',
    })
  })

  test('begins relative files at the folder of the file', async () => {
    await apply('credentials:\n  f: { provider: openai, source: { file: keys/f } }\n')
    expect(await ops.credShow({ name: 'f' })).toMatchObject({ source: { kind: 'file', path: '/etc/spillway/keys/f' } })
  })
})

describe('export', () => {
  test('gives what apply takes, and applying it changes nothing', async () => {
    await apply(both)
    await addCredentials(ops, ['sealed'])
    await ops.poolAdd({ name: 'openai', member: 'sealed' })
    const { yaml } = await ops.exportConfig({})
    expect(yaml).toBe(`credentials:
  work:
    provider: openai
    source:
      env: WORK
    domain: org
  home:
    provider: openai
    source:
      env: HOME_KEY
    baseUrl: https://gateway.example
  sealed:
    provider: openai
    source: vault
pools:
  openai:
    provider: openai
    members:
      - work
      - member: home
        weight: 3
      - sealed
    strategy: weighted
    maxWaitMs: 30s
`)
    expect((await apply(yaml)).changes.every(({ action }) => action === 'unchanged')).toBe(true)
  })
})
