import type { ServeOptions, Started } from '../../cli/cli.ts'
import type { Clock } from '../../clock/clock.ts'
import { type Config, formatProblems } from '../../config/config.ts'
import { createLogger } from '../../log/log.ts'
import { acquireLock, StoreError } from '../../store/store.ts'
import { type Daemon, startDaemon } from '../daemon/daemon.ts'
import { rereadConfig } from '../daemon/reread.ts'
import { tidyAtRest } from '../daemon/tidying.ts'
import { type Places, prepareDirectory } from '../places.ts'
import { load, prepareReferences } from './configuration.ts'
import { firstKey, poolsFromEnvironment } from './first.ts'
import { type Environment, loading } from './loading.ts'
import { untilTold } from './signals.ts'

interface Serving {
  readonly env: Environment
  readonly clock: Clock
  readonly version: string
  readonly options: ServeOptions
  readonly started: (facts: Started) => void
}

/** Runs the daemon until a signal ends it; resolves with the exit code. */
export async function serve(places: Places, serving: Serving): Promise<number> {
  const { options, env, clock, started, version } = serving
  const warnings = [...prepareDirectory(places.data)]
  const given = loading(places, env, options)
  const loaded = load(given)
  const { config, warnings: oddities } = loaded
  if (oddities.length > 0) warnings.push(...formatProblems(oddities).split('\n'))
  warnings.push(...prepareReferences(loaded))
  const who = { startedAt: clock.now(), version, socket: config.admin.socket }
  const attempt = acquireLock(places.data, who)
  if (!attempt.ok) throw attempt.refusal
  const log = createLogger(config.log)
  const until = untilTold()
  const stopTidying = tidyAtRest(clock)
  try {
    const daemon = await startDaemon({
      places,
      config,
      env,
      clock,
      log,
      version,
      random: Math.random,
      reread: () => rereadConfig(given, clock),
    })
    until.onHangUp(() => void daemon.reloader.now())
    started(await factsOf(daemon, places, { config, env, warnings }))
    const why = await until.told
    if (why.kind === 'broken') log.error({ error: why.error }, 'something failed that nobody handles: draining')
    else log.info({ signal: why.signal }, 'draining')
    await Promise.race([daemon.drain().catch((error: unknown) => endHung(error)), until.toldAgain])
    log.info({}, 'stopped')
    return why.kind === 'broken' ? 1 : 0
  } finally {
    stopTidying()
    until.stop()
    attempt.lock.release()
  }
}

async function factsOf(
  daemon: Daemon,
  places: Places,
  about: { config: Config; env: Environment; warnings: readonly string[] },
): Promise<Started> {
  const ops = daemon.ops.as('spillway')
  const key = await firstKey(ops)
  const found = await poolsFromEnvironment(ops, about.env, daemon.core.credentials.changedVariables())
  const pools = (await ops.poolList({})).map(({ name, provider }) => ({ name, provider }))
  return {
    origin: daemon.origin,
    node: process.versions.node,
    fastPath: (await ops.status({})).fastPath === true,
    data: places.data,
    socket: about.config.admin.socket,
    firstKey: key,
    pools,
    credentials: (await ops.credList({})).length,
    notes: found.notes,
    warnings: [...about.warnings, ...found.warnings],
  }
}

/** A worker that hangs in the kernel would keep even `process.exit` waiting: then only a signal ends the process. */
function endHung(error: unknown): void {
  if (error instanceof StoreError && error.code === 'hung') process.kill(process.pid, 'SIGKILL')
  throw error
}
