import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { createMetrics } from '../../internal/metrics/metrics.ts'
import { root, textOf } from '../support/citations.ts'

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly annotations: Readonly<Record<string, string>>
}
interface Panel {
  readonly title: string
  readonly type: string
  readonly targets?: readonly { readonly expr: string }[]
}

const rules: readonly Rule[] = parse(textOf('deploy/alerts.yaml')).groups.flatMap(
  (group: { rules: Rule[] }) => group.rules,
)
const dashboard = JSON.parse(textOf('deploy/grafana-dashboard.json'))
const panels: readonly Panel[] = dashboard.panels
const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
const variables: readonly string[] = dashboard.templating.list.map(
  ({ query }: { query: string | { query: string } }) => (typeof query === 'string' ? query : query.query),
)
const alertNames = rules.map(({ alert }) => alert)

/** The metrics that an expression names. */
const namedIn = (text: string) => text.match(/\b(?:spillway|nodejs|process)_[a-z0-9_]+/g) ?? []

/** What the program exposes: the names of its series, as they are queried. */
async function exposed(): Promise<Set<string>> {
  const view = { now: 0, pools: [], upstreams: [], diskFreeBytes: 0, fastPath: true }
  const text = await createMetrics({ view: () => view }).render()
  return new Set(
    [...text.matchAll(/^# TYPE (\w+) (\w+)/gm)].flatMap(([, name = '', type]) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  )
}

const folder = mkdtempSync(join(tmpdir(), 'spillway-rules-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const promtool = spawnSync('promtool', ['--version']).status === 0

/** What promtool says of a file that it is given, and whether it was content. */
function asked(words: readonly string[], text: string): { ok: boolean; said: string } {
  const file = join(folder, 'given.yaml')
  writeFileSync(file, text)
  const { status, stdout, stderr } = spawnSync('promtool', [...words, file], { encoding: 'utf8' })
  return { ok: status === 0, said: `${stdout}${stderr}` }
}

describe('alert rules and the dashboard', () => {
  test('name metrics that the program has, and nothing else of its own', async () => {
    const known = await exposed()
    const named = [...rules.map(({ expr }) => expr), ...queries, ...variables].flatMap(namedIn)
    expect(named.length).toBeGreaterThan(40)
    expect(named.filter((name) => !known.has(name))).toEqual([])
  })

  test('show every metric of the program', async () => {
    const shown = new Set([...queries, ...variables].flatMap(namedIn).map((name) => name.replace(/_bucket$/, '')))
    // What is only counted for the curious, or shown as the instant of something else.
    const left = ['spillway_window_reset_seconds', 'spillway_signals_suppressed_total']
    const own = [...(await exposed())]
      .filter((name) => name.startsWith('spillway_') && !/_(sum|count)$/.test(name))
      .map((name) => name.replace(/_bucket$/, ''))
    expect(own.filter((name) => !shown.has(name) && !left.includes(name))).toEqual([])
  })

  test('say what is wrong and where to look, and each alert has its row in the page', () => {
    for (const { annotations } of rules) {
      expect(Object.keys(annotations)).toEqual(['summary', 'description'])
      expect(annotations.description).toMatch(/Look: spillway /)
    }
    expect([...textOf('docs/metrics.md').matchAll(/^\| `(Spillway\w+)` /gm)].map(([, name]) => name)).toEqual(
      alertNames,
    )
  })

  test('have panels with a query each that do not lie on each other', () => {
    const places = dashboard.panels.map(
      ({ gridPos }: { gridPos: { x: number; y: number; w: number; h: number } }) => gridPos,
    )
    for (const [at, one] of places.entries())
      for (const other of places.slice(at + 1)) {
        const apart = one.x + one.w <= other.x || other.x + other.w <= one.x
        expect(apart || one.y + one.h <= other.y || other.y + other.h <= one.y).toBe(true)
      }
    expect(panels.filter(({ type, targets = [] }) => type !== 'row' && targets.length === 0)).toEqual([])
  })
})

/** What is scraped, one value a minute (each five where it takes hours), and the alerts that this raises by then. */
const stories: readonly [name: string, series: Record<string, string>, at: string, fires: readonly string[]][] = [
  ['a pool that is exhausted', { 'spillway_pool_exhausted{pool="p"}': '1x10' }, '5m', ['SpillwayPoolExhausted']],
  ['a pool that serves', { 'spillway_pool_exhausted{pool="p"}': '0x10' }, '5m', []],
  ['a daemon that does not answer', { 'up{job="spillway"}': '0x10' }, '5m', ['SpillwayDown']],
  [
    'a login that is dead beside a limited member',
    {
      'spillway_member_state{pool="p",member="a",state="needs-login"}': '1x10',
      'spillway_member_state{pool="p",member="b",state="cooling"}': '1x10',
    },
    '5m',
    ['SpillwayNeedsPerson'],
  ],
  [
    'a member that is disabled',
    { 'spillway_member_state{pool="p",member="a",state="disabled"}': '1x3000' },
    '10m',
    ['SpillwayMemberDisabled'],
  ],
  [
    'a member that was disabled yesterday',
    { 'spillway_member_state{pool="p",member="a",state="disabled"}': '1x3000' },
    '25h',
    [],
  ],
  ['a pool that runs dry in an hour', { 'spillway_pool_dry_seconds{pool="p"}': '3600x30' }, '20m', ['SpillwayRunsDry']],
  ['a pool that runs dry in two days', { 'spillway_pool_dry_seconds{pool="p"}': '172800x30' }, '20m', []],
  [
    'a pool that ran dry',
    { 'spillway_pool_dry_seconds{pool="p"}': '0x30', 'spillway_pool_exhausted{pool="p"}': '1x30' },
    '20m',
    ['SpillwayPoolExhausted'],
  ],
  [
    'a disk that is short',
    { spillway_disk_free_bytes: '500x10', spillway_disk_reserve_bytes: '1000x10' },
    '5m',
    ['SpillwayDiskShort'],
  ],
  [
    'a disk that fills',
    { spillway_disk_free_bytes: '100000-100x120', spillway_disk_reserve_bytes: '70000x120' },
    '90m',
    ['SpillwayDiskFilling'],
  ],
  [
    'a hot path that hangs beside one that is readable',
    {
      'spillway_guard_path_state{path="jobs",state="hanging"}': '1x20',
      'spillway_guard_path_state{path="data",state="readable"}': '1x20',
    },
    '10m',
    ['SpillwayHotPath'],
  ],
  [
    'a worker that is not started while jobs wait',
    {
      'spillway_worker_should_run{instance="i",worker="w"}': '1x40',
      'spillway_worker_decisions_total{instance="i",worker="w",reason="storage-unreadable"}': '0+1x40',
    },
    '35m',
    ['SpillwayWorkerNotStarted'],
  ],
  [
    'a worker that runs while jobs wait',
    {
      'spillway_worker_should_run{instance="i",worker="w"}': '1x40',
      'spillway_worker_decisions_total{instance="i",worker="w",reason="active"}': '0+1x40',
    },
    '35m',
    [],
  ],
  ['a store that is away', { spillway_store_away: '1x10' }, '5m', ['SpillwayStoreAway']],
]

describe.skipIf(!promtool)('promtool', () => {
  test('finds nothing wrong with the rules', () => {
    const { ok, said } = asked(['check', 'rules'], textOf('deploy/alerts.yaml'))
    expect(said).toContain(`${rules.length} rules found`)
    expect(ok).toBe(true)
  })

  test('reads the queries of the dashboard', () => {
    const plain = queries.map((expr) =>
      expr.replaceAll('$__rate_interval', '5m').replace(/\$(?:instance|pool)\b/g, '.*'),
    )
    const given = { groups: [{ name: 'given', rules: plain.map((expr, at) => ({ record: `q:${at}`, expr })) }] }
    expect(asked(['check', 'rules'], JSON.stringify(given))).toMatchObject({ ok: true })
  })

  test.each(stories)('raises for %s what it should', (_, series, at, fires) => {
    const every = at.endsWith('h') ? '5m' : '1m'
    const input = Object.entries(series).map(([name, values]) => ({ series: name, values }))
    const rows = alertNames.map((alertname) => ({ eval_time: at, alertname, exp_alerts: [] }))
    const given = { rule_files: [join(root, 'deploy/alerts.yaml')], evaluation_interval: every }
    const story = { interval: every, input_series: input, alert_rule_test: rows }
    const { said } = asked(['test', 'rules'], JSON.stringify({ ...given, tests: [story] }))
    // No alert is expected, so that each one that is raised stands in the complaint.
    const raised = [...said.matchAll(/alertname: (\w+), time/g)].map(([, name]) => name)
    expect({ said, raised }).toEqual({ said, raised: fires })
  })
})
