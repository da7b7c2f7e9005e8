import { existsSync } from 'node:fs'
import { answers, type Port, remoteOps, type ServeOptions, type Started, Unreachable } from '../cli/cli.ts'
import { sleep, systemClock } from '../clock/clock.ts'
import { type Config, formatProblems, type LoadOptions, loadConfig, reloadConfig } from '../config/config.ts'
import { dialectOf, type Provider } from '../dialect/dialect.ts'
import { createLogger, silentLogger } from '../log/log.ts'
import { createOps, Refusal } from '../ops/ops.ts'
import { createProxy, noMeter } from '../proxy/proxy.ts'
import { acquireLock, type Lock } from '../store/store.ts'
import { openCore } from './core.ts'
import { type Daemon, startDaemon } from './daemon.ts'
import { firstKey, poolsFromEnvironment } from './first.ts'
import { type Places, placesOf, prepareDirectory } from './places.ts'
import { databaseOf, proxySettings } from './settings.ts'
import { untilTold } from './signals.ts'
import { programVersion } from './version.ts'

const version = programVersion()

const actor = 'operator:cli'

type Environment = Readonly<Record<string, string | undefined>>

/** The program around one process: what the command line needs, over the real clock, disk and network. */
export function programPort(env: Environment): Port {
  const clock = systemClock()
  return {
    version,
    now: () => clock.now(),
    async sleep(ms) {
      await sleep(clock, ms)
      return true
    },
    async open(where, { live } = { live: false }) {
      const places = placesOf(where, env)
      if (live && !existsSync(places.data)) throw noDaemon(places)
      prepareDirectory(places.data)
      const attempt = acquireLock(places.data, { startedAt: clock.now(), version, socket: null })
      if (attempt.ok && live) {
        attempt.lock.release()
        throw noDaemon(places)
      }
      if (attempt.ok) return openOffline(places, attempt.lock, { env, clock })
      const socket = attempt.holder?.socket ?? null
      if (socket !== null && (await answers(socket))) return { ops: remoteOps(socket, actor), close: async () => {} }
      if (socket === null) throw attempt.refusal
      throw new Unreachable(
        `${attempt.refusal.message}, and it does not answer`,
        `is it starting or stopping? socket: ${socket}`,
      )
    },
    serve: (where, options, started) => serve(placesOf(where, env), { options, started, env, clock }),
    async init(where) {
      const places = placesOf(where, env)
      prepareDirectory(places.data)
      const attempt = acquireLock(places.data, { startedAt: clock.now(), version, socket: null })
      if (!attempt.ok) return { data: places.data, key: null }
      const { ops, close } = await openOffline(places, attempt.lock, { env, clock })
      try {
        return { data: places.data, key: await firstKey(ops) }
      } finally {
        await close()
      }
    },
  }
}

interface Around {
  readonly env: Environment
  readonly clock: ReturnType<typeof systemClock>
}

function noDaemon({ data }: Places): Unreachable {
  return new Unreachable(`no daemon runs on ${data}, and this needs one`, 'spillway serve starts it')
}

/** The verbs over the store itself, while the lock is ours. */
async function openOffline(places: Places, lock: Lock, { env, clock }: Around) {
  try {
    const { config } = load(loading(places, env))
    const log = silentLogger
    const core = await openCore({
      places,
      config,
      env,
      clock,
      log,
      version,
      random: Math.random,
      prober: () => proxy.prober,
      onSuppressed: () => undefined,
      oauth: () => config.oauth,
      refreshed: () => undefined,
    })
    const proxy = createProxy({
      ...core,
      dialectOf: (provider) => dialectOf(provider as Provider),
      clock,
      log,
      settings: proxySettings(config),
      meter: noMeter,
    })
    const { host, port } = config.server.listen
    const operations = createOps({
      ...core,
      clock,
      version,
      startedAt: null,
      config: () => config,
      prober: proxy.prober,
      paths: { ...places, database: databaseOf(config) },
      origin: () => `http://${host}:${port}`,
    })
    return {
      ops: operations.as(actor),
      async close() {
        await proxy.close()
        await core.close()
        lock.release()
      },
    }
  } catch (error) {
    lock.release()
    throw error
  }
}

interface Serving extends Around {
  readonly options: ServeOptions
  readonly started: (facts: Started) => void
}

/** Runs the daemon until a signal ends it; resolves with the exit code. */
async function serve(places: Places, serving: Serving): Promise<number> {
  const { options, env, clock, started } = serving
  const warnings = [...prepareDirectory(places.data)]
  const given = loading(places, env, options)
  const { config, warnings: oddities } = load(given)
  if (oddities.length > 0) warnings.push(...formatProblems(oddities).split('\n'))
  const who = { startedAt: clock.now(), version, socket: config.admin.socket }
  const attempt = acquireLock(places.data, who)
  if (!attempt.ok) throw attempt.refusal
  const log = createLogger(config.log)
  const until = untilTold()
  try {
    const daemon = await startDaemon({
      places,
      config,
      env,
      clock,
      log,
      version,
      random: Math.random,
      reread: () => reloadConfig(given, clock),
    })
    until.onHangUp(() => void daemon.reloader.now())
    started(await factsOf(daemon, places, { config, env, warnings }))
    const why = await until.told
    if (why.kind === 'broken') log.error({ error: why.error }, 'something failed that nobody handles: draining')
    await Promise.race([daemon.drain(), until.toldAgain])
    return why.kind === 'broken' ? 1 : 0
  } finally {
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
  await poolsFromEnvironment(ops, about.env)
  const pools = (await ops.poolList({})).map(({ name, provider }) => ({ name, provider }))
  return {
    origin: daemon.origin,
    data: places.data,
    socket: about.config.admin.socket,
    firstKey: key,
    pools,
    credentials: (await ops.credList({})).length,
    warnings: about.warnings,
  }
}

function loading(places: Places, env: Environment, options?: ServeOptions): LoadOptions {
  const flags = [
    ...(options?.listen ? [{ key: 'server.listen', text: options.listen, from: '--listen' }] : []),
    ...(options?.adminListen ? [{ key: 'admin.listen', text: options.adminListen, from: '--admin-listen' }] : []),
  ]
  return { file: places.config, explicit: places.explicit, env, dataDir: places.data, flags }
}

function load(options: LoadOptions) {
  const loaded = loadConfig(options)
  if (loaded.ok) return loaded
  const count = loaded.problems.length === 1 ? 'a problem' : `${loaded.problems.length} problems`
  throw new Refusal('failed', `the configuration has ${count}:\n${formatProblems(loaded.problems)}`)
}
