import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Config, formatProblems, loadConfig, parseConfig, reserveOf } from '../config.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-config-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

function load(text: string, env: Readonly<Record<string, string>> = {}) {
  const file = join(folder, 'spillway.yaml')
  writeFileSync(file, text)
  return loadConfig({ file, explicit: false, env, dataDir: '/data' })
}

function accepted(text: string, env: Readonly<Record<string, string>> = {}): Config['guard'] {
  const loaded = load(text, env)
  if (!loaded.ok) throw new Error(formatProblems(loaded.problems))
  return loaded.config.guard
}

function refused(text: string, env: Readonly<Record<string, string>> = {}): string[] {
  const loaded = load(text, env)
  if (loaded.ok) throw new Error('it was accepted')
  return formatProblems(loaded.problems).replaceAll(`${folder}/`, '').split('\n')
}

const documented = `guard:
  budgets:
    codex-sessions: { path: ~/.codex/sessions, match: '**/*.jsonl', maxBytes: 2GiB, maxFiles: 20000, maxAge: 30d, keepFirst: 3, action: report, pool: codex }
  hotPaths:
    crawl:
      path: /srv/jobs
      root: /srv
      everyMs: 30s
      probeMs: 5s
      unrecoveredMs: 10m
      recover: { enabledBy: /etc/spillway/recover.enabled, unmount: true, remount: [systemctl, start, srv-jobs.mount], after: [[/usr/local/bin/tiering, --apply]], maxPerHour: 3 }
      busy: [/usr/local/bin/running-paths]
  workers:
    crawler:
      isActive: [systemctl, is-active, --quiet, crawler]
      start: [systemctl, start, crawler]
      stop: [systemctl, stop, crawler]
      pending: [/usr/local/bin/pending]
      running: [/usr/local/bin/running]
      deployLock: { path: /run/deploy.lock, staleMs: 2h }
      hotPaths: [crawl]
      pool: codex
      enabledBy: /etc/spillway/crawler.enabled
      everyMs: 2m
`

describe('paths of the guard', () => {
  it.each(['.', './', '..', '~', '~/', '~/logs/..'])(
    '%s of a file in the home directory is too wide to be pruned',
    (path) => {
      const text = `guard: { budgets: { all: { path: '${path}', maxFiles: 1, action: prune } } }`
      const file = join(homedir(), path === '..' ? 'conf/spillway.yaml' : 'spillway.yaml')
      const read = parseConfig({ text }, { file, explicit: true, env: {}, dataDir: '/data' })
      expect(read).toMatchObject({ ok: false, problems: [{ key: 'guard.budgets.all.path' }] })
    },
  )

  it('are compared when they are whole', () => {
    const home = homedir()
    const hot = (path: string, root: string) => `guard: { hotPaths: { jobs: { path: '${path}', root: '${root}' } } }`
    expect(accepted(hot('~/jobs/1', `${home}/jobs`)).hotPaths.jobs?.path).toBe(`${home}/jobs/1`)
    expect(refused(hot('jobs', '~/jobs'))[0]).toContain('is not under root')
  })
})

describe('the guard section', () => {
  it('reads the documented example, with sizes, durations and paths resolved', () => {
    const { budgets, hotPaths, workers } = accepted(documented)
    expect(budgets['codex-sessions']).toEqual({
      path: join(homedir(), '.codex/sessions'),
      match: '**/*.jsonl',
      maxBytes: 2 * 1024 ** 3,
      maxFiles: 20_000,
      maxAge: 30 * 86_400_000,
      keepFirst: 3,
      action: 'report',
      pool: 'codex',
    })
    expect(hotPaths.crawl).toMatchObject({ root: '/srv', everyMs: 30_000, recover: { unmount: true, maxPerHour: 3 } })
    expect(workers.crawler).toMatchObject({ deployLock: { staleMs: 7_200_000 }, hotPaths: ['crawl'], everyMs: 120_000 })
  })

  it('fills in what an entry leaves out, and finds relative paths from its own folder', () => {
    const { budgets, hotPaths } = accepted(
      'guard: { budgets: { dumps: { path: dumps, maxFiles: 5 } }, hotPaths: { jobs: { path: /srv } } }',
    )
    expect(budgets.dumps).toMatchObject({ path: join(folder, 'dumps'), match: '**', action: 'report', keepFirst: 3 })
    expect(hotPaths.jobs).toMatchObject({ probeMs: 5_000, recover: { unmount: false, enabledBy: null, after: [] } })
  })

  it('takes numbers and truth values in commands for words', () => {
    const { workers } = accepted(
      'guard: { workers: { w: { isActive: [false], start: [sleep, 5], pending: [echo, 0] } } }',
    )
    expect(workers.w).toMatchObject({ isActive: ['false'], start: ['sleep', '5'], pending: ['echo', '0'] })
  })

  it('has twins in the environment, as JSON', () => {
    const { budgets } = accepted('guard:', {
      SPILLWAY_GUARD_BUDGETS: '{"dumps":{"path":"/var/dumps","maxBytes":"1GiB"}}',
    })
    expect(budgets.dumps).toMatchObject({ path: '/var/dumps', maxBytes: 1024 ** 3 })
    expect(refused('{}', { SPILLWAY_GUARD_WORKERS: 'crawler' })).toEqual([
      'SPILLWAY_GUARD_WORKERS: guard.workers: must consist of entries with a name each (in the environment: a JSON object), not "crawler"',
    ])
  })

  it('tells every problem at once, each with its line', () => {
    expect(
      refused(`guard:
  budgets:
    one: { maxBytes: lots, maxFile: 3 }
    two: { path: /var/two }
    'the third': { path: /var/three, maxBytes: 1 }
  hotPaths:
    crawl:
      path: /srv/jobs
      recover: { unmount: perhaps }
  workers:
    crawler:
      isActive: systemctl is-active crawler
      start: [systemctl, [nested]]
      pending: []
      deployLock: {}
`),
    ).toEqual([
      'spillway.yaml:3: guard.budgets.one.path: is missing; it must be the path of a file (not its content)',
      'spillway.yaml:3: guard.budgets.one.maxBytes: must be a size such as 64KiB or 32MiB, from 0B to 1024TiB, or null, not "lots"',
      'spillway.yaml:3: guard.budgets.one.maxFile: unknown key (did you mean maxFiles?)',
      'spillway.yaml:5: guard.budgets.the third: "the third" cannot be a name (letters, digits, dots, underscores and hyphens, 63 at most, a letter or digit first)',
      'spillway.yaml:9: guard.hotPaths.crawl.recover.unmount: must be true or false, not "perhaps"',
      expect.stringMatching(/^spillway.yaml:12: guard.workers.crawler.isActive: must be a command as a list of words/),
      expect.stringMatching(/^spillway.yaml:13: guard.workers.crawler.start.1: must be a word/),
      expect.stringMatching(/^spillway.yaml:14: guard.workers.crawler.pending/),
      'spillway.yaml:15: guard.workers.crawler.deployLock.path: is missing; it must be the path of a file (not its content)',
    ])
  })

  it.each([
    ['a budget without a limit', 'budgets: { a: { path: /a } }', 'guard.budgets.a: has no limit'],
    [
      'pruning everything',
      'budgets: { a: { path: /, maxFiles: 1, action: prune } }',
      'guard.budgets.a.path: is too wide',
    ],
    ['pruning home', 'budgets: { a: { path: "~", maxFiles: 1, action: prune } }', 'guard.budgets.a.path: is too wide'],
    ['a hot path without a path', 'hotPaths: { a: { root: /srv } }', 'guard.hotPaths.a: has no path'],
    [
      'two sources of paths',
      'hotPaths: { a: { path: /a, pathsFrom: [b] } }',
      'guard.hotPaths.a.pathsFrom: contradicts',
    ],
    [
      'unmounting anywhere',
      'hotPaths: { a: { path: /a, recover: { unmount: true } } }',
      'guard.hotPaths.a.root: is missing',
    ],
    ['a path outside its root', 'hotPaths: { a: { path: /a, root: /b } }', 'guard.hotPaths.a.path: is not under root'],
    [
      'a worker on an unknown hot path',
      'workers: { a: { isActive: [t], start: [t], pending: [t], hotPaths: [b] } }',
      'guard.workers.a.hotPaths.0: there is no hot path b',
    ],
    [
      'one name for two things',
      'hotPaths: { a: { path: /a } }, workers: { a: { isActive: [t], start: [t], pending: [t] } }',
      'guard.workers.a: has the name of a hot path',
    ],
  ])('refuses %s', (_, text, said) => {
    expect(refused(`guard: { ${text} }`)).toEqual([expect.stringContaining(`spillway.yaml:1: ${said}`)])
  })
})

describe('the disk reserve', () => {
  it.each([
    ['a small disk', 'auto', 10 * 1024 ** 3, 1.5 * 1024 ** 3],
    ['a large disk', 'auto', 1024 ** 4, 4 * 1024 ** 3],
    ['a given size', 7, 1024 ** 4, 7],
  ] as const)('of %s', (_, reserveBytes, total, reserve) => {
    expect(reserveOf({ reserveBytes }, total)).toBe(reserve)
  })
})
