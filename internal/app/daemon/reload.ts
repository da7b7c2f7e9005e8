import type { Clock } from '../../clock/clock.ts'
import { type Config, formatProblems, type Loaded, reloadable, type Setting, watchConfig } from '../../config/config.ts'
import type { LiveGuard } from '../../guard/guard.ts'
import type { Logger, RootLogger } from '../../log/log.ts'
import type { ConfigNow, ReloadResult } from '../../ops/ops.ts'
import type { DataPlane } from '../../proxy/proxy.ts'
import type { Core } from '../core.ts'
import type { Places } from '../places.ts'
import { engineSettings, proxySettings } from '../settings.ts'
import type { Telling } from './telling.ts'

/** Takes changed configurations into use. */
export interface Reloader {
  /** What is in force. */
  readonly config: Config
  /** Reads the file again; with problems the old configuration stays in force. One reload at a time. */
  now(): Promise<ReloadResult>
  /** The file as it stands now; looks, and changes nothing. */
  look(): Promise<ConfigNow>
  /** The settings as they are written now, each with whether that waits for a start; looks, and changes nothing. */
  settings(): Promise<readonly (Setting & { readonly waits: boolean })[]>
  stop(): void
}

interface ReloadDeps {
  readonly places: Places
  readonly config: Config
  readonly clock: Clock
  readonly log: Logger & Partial<Pick<RootLogger, 'setLevel'>>
  readonly core: Core
  readonly proxy: DataPlane
  readonly told: Telling
  readonly guard: Pick<LiveGuard, 'configure'>
  reread(): Promise<Loaded>
}

/** A reloader that also follows changes of the file. */
export function reloader(parts: ReloadDeps): Reloader {
  const { core, proxy, told, log, clock, places } = parts
  let inForce = parts.config
  let last: Promise<ReloadResult> = Promise.resolve({ applied: false, problems: [] })
  let rejected = ''

  function refuse(problems: readonly string[]): ReloadResult {
    // An editor that saves twice, or a watch and a SIGHUP, are one story.
    const text = problems.join('\n')
    if (text !== rejected) core.engine.tell({ kind: 'config_rejected', detail: { problems } })
    rejected = text
    return { applied: false, problems }
  }

  async function reload(): Promise<ReloadResult> {
    const loaded = await parts.reread()
    if (!loaded.ok) return refuse(formatProblems(loaded.problems).split('\n'))
    const wasRejected = rejected !== ''
    rejected = ''
    const changes = reloadable(inForce, loaded.config)
    if (changes.restart.length > 0) log.warn({ restart: changes.restart }, 'these settings change with the next start')
    if (changes.live.length === 0) {
      if (wasRejected) core.engine.tell({ kind: 'config_changed', detail: { what: 'the problems are gone' } })
      return { applied: true, problems: [] }
    }
    inForce = changes.inForce
    core.engine.configure(engineSettings(inForce))
    proxy.configure(proxySettings(inForce))
    told.configure(inForce)
    parts.guard.configure()
    log.setLevel?.(inForce.log.level)
    parts.log.info({ changed: changes.live }, 'the configuration was reloaded')
    core.engine.tell({ kind: 'config_changed', detail: { what: changes.live.join(', ') } })
    return { applied: true, problems: [] }
  }

  const now = (): Promise<ReloadResult> => {
    last = last.then(reload, reload)
    return last
  }
  const watched = () => void now().catch((error: unknown) => log.error({ error }, 'the configuration was not reloaded'))
  const unwatch = watchConfig(places.config, watched, clock)
  return {
    get config() {
      return inForce
    },
    now,
    async look() {
      const loaded = await parts.reread()
      if (!loaded.ok) return { problems: formatProblems(loaded.problems).split('\n'), waiting: [] }
      return { problems: [], waiting: reloadable(inForce, loaded.config).restart }
    },
    async settings() {
      const loaded = await parts.reread()
      if (!loaded.ok) return []
      const { restart } = reloadable(inForce, loaded.config)
      return loaded.settings().map((setting) => ({ ...setting, waits: restart.includes(setting.key) }))
    },
    stop: unwatch,
  }
}
