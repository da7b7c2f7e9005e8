import { FakeClock } from '../../internal/clock/clock.ts'
import type { EventKind } from '../../internal/events/events.ts'
import {
  createGuard,
  type GuardSignal,
  type LiveGuard,
  type PoolFacts,
  type SystemCalls,
} from '../../internal/guard/guard.ts'
import { silentLogger } from '../../internal/log/log.ts'
import type { GuardSettings } from '../../internal/ops/ops.ts'

type HotPath = GuardSettings['hotPaths'][string]
type Worker = GuardSettings['workers'][string]
type State = Awaited<ReturnType<SystemCalls['probe']>>

/** A hot path `/srv/jobs` as an operator would configure it. */
export const hotPath: HotPath = {
  path: '/srv/jobs',
  pathsFrom: null,
  root: '/srv',
  everyMs: 30_000,
  probeMs: 5_000,
  unrecoveredMs: 600_000,
  recover: {
    enabledBy: '/etc/spillway/recover.enabled',
    unmount: true,
    remount: ['remount'],
    after: [['tiering', '--apply']],
    maxPerHour: 3,
  },
  busy: ['running-paths'],
}

/** A worker that needs it. */
export const worker: Worker = {
  isActive: ['is-active'],
  start: ['start'],
  stop: ['stop'],
  pending: ['pending'],
  running: ['running'],
  deployLock: { path: '/run/deploy.lock', staleMs: 7_200_000 },
  hotPaths: ['crawl'],
  pool: 'codex',
  enabledBy: '/etc/spillway/crawler.enabled',
  everyMs: 120_000,
}

/**
 * A guard on a machine that a test moves by hand: a mount, a worker, a queue of jobs, sentinel files and a clock. What was done
 * to the machine is in `actions`, what was told in `told`.
 */
export class GuardedMachine {
  readonly clock = new FakeClock()
  readonly actions: string[] = []
  readonly told: (GuardSignal<EventKind> & { readonly at: number })[] = []
  readonly files = new Map<string, number>()
  readonly states = new Map<string, State>()
  /** Paths that running work uses. */
  busy: readonly string[] = []
  next: readonly string[] = []
  /** Whether the mount table lists the mount; without it there is a bare, readable folder. */
  mounted = true
  active = false
  pending = 0
  running = 0
  /** Exit codes of commands other than 0, by their first word; null: it does not end. */
  readonly codes = new Map<string, number | null>()
  /** What happens when a command is run, by its first word. */
  readonly befalls = new Map<string, () => void>()
  pool: PoolFacts | null = null
  memory: string | null = null
  settings: GuardSettings
  guard: LiveGuard

  constructor(settings: Partial<GuardSettings> = {}) {
    this.settings = { budgets: {}, hotPaths: { crawl: hotPath }, workers: { crawler: worker }, ...settings }
    for (const path of [hotPath.recover.enabledBy, worker.enabledBy]) if (path) this.files.set(path, 0)
    this.guard = this.#made()
  }

  /** The guard after a crash: it knows what it remembered, and nothing else. */
  async restart(): Promise<void> {
    this.guard.stop()
    this.guard = this.#made()
    await this.begin()
  }

  /** The guard is on, and has looked at everything once. */
  async begin(): Promise<void> {
    this.guard.start()
    await this.clock.advance(0)
  }

  state(path: string): State {
    const holder = [...this.states].filter(([each]) => path === each || path.startsWith(`${each}/`))
    return holder.sort(([one], [other]) => other.length - one.length)[0]?.[1] ?? 'readable'
  }

  /** What was told of this kind. */
  kinds(kind: EventKind) {
    return this.told.filter((each) => each.kind === kind)
  }

  #made(): LiveGuard {
    return createGuard({
      clock: this.clock,
      log: silentLogger,
      data: '/data',
      system: this.#system(),
      settings: () => this.settings,
      reserveBytes: () => 'auto',
      reserveOf: () => 0,
      pool: async () => this.pool,
      tell: (signal, memory) => {
        this.memory = memory
        this.told.push({ ...signal, at: this.clock.now() } as (typeof this.told)[number])
      },
      recall: async () => this.memory,
      remember: async (memory) => {
        this.memory = memory
      },
    })
  }

  #system(): SystemCalls {
    return {
      probe: async (path) => this.state(path),
      look: async (path) => (this.files.has(path) ? { at: this.files.get(path) ?? 0 } : null),
      space: async () => ({ freeBytes: 10 * 1024 ** 3, totalBytes: 100 * 1024 ** 3 }),
      createFile: async (path) => !this.files.has(path) && Boolean(this.files.set(path, this.clock.now())),
      removeFile: async (path) => this.files.delete(path),
      mounts: async () => [
        { mountpoint: '/', type: 'ext4', source: '/dev/sda1' },
        ...(this.mounted ? [{ mountpoint: '/srv/jobs', type: 'fuse.sshfs', source: 'host:/jobs' }] : []),
      ],
      command: async (words) => this.#command(words),
      walk: async () => {
        throw new Error('no directory here')
      },
      remove: async () => ({ removed: [], open: 0, changed: 0 }),
      stop: () => undefined,
    }
  }

  #command(words: readonly string[]): Awaited<ReturnType<SystemCalls['command']>> {
    const [name = ''] = words
    this.befalls.get(name)?.()
    const answers: Record<string, string> = {
      pending: String(this.pending),
      running: String(this.running),
      'running-paths': this.busy.join('\n'),
      next: this.next.join('\n'),
    }
    if (this.codes.has(name)) {
      this.actions.push(words.join(' '))
      return { code: this.codes.get(name) ?? null, output: '', said: 'it failed' }
    }
    if (name === 'is-active') return { code: this.active ? 0 : 3, output: '', said: null }
    if (name in answers) return { code: 0, output: answers[name] ?? '', said: null }
    this.actions.push(words.join(' '))
    if (name === 'start') this.active = true
    if (name === 'stop') this.active = false
    if (name === 'fusermount3' || name === 'remount') {
      this.states.delete('/srv/jobs')
      this.mounted = name === 'remount'
    }
    return { code: 0, output: '', said: null }
  }
}

/** A pool that waits for a login. */
export const deadLogin: PoolFacts = {
  breaker: { pool: 'codex', state: 'open', since: null, firstError: null, suppressed: 0 },
  incidentAt: 0,
  cause: 'needs-login',
  needsPerson: true,
}
