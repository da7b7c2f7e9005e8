import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { answers, type Port, remoteOps, Unreachable } from '../../cli/cli.ts'
import { sleep, systemClock } from '../../clock/clock.ts'
import { type Places, placesOf, prepareDirectory } from '../places.ts'
import { invocationOf } from './invocation.ts'
import { actor, type Environment, loading } from './loading.ts'
import { programVersion } from './version.ts'

/*
 * Most runs ask a daemon and end: the store, the proxy and everything else that a daemon is made of are loaded only by
 * those that need them.
 */
const version = programVersion()

/** The main module, as it is started. */
const main = fileURLToPath(new URL('../../../cmd/spillway/main.js', import.meta.url))

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
    data: (where) => placesOf(where, env).data,
    invocation: (where) => invocationOf(where, env),
    async open(where, { live } = { live: false }) {
      const places = placesOf(where, env)
      if (live && !existsSync(places.data)) throw noDaemon(places)
      const daemon = await running(places, env)
      if (daemon) return { ops: remoteOps(daemon, actor), close: async () => {} }
      prepareDirectory(places.data)
      const { acquireLock } = await import('../../store/store.ts')
      const attempt = acquireLock(places.data, { startedAt: clock.now(), version, socket: null })
      if (attempt.ok && live) {
        attempt.lock.release()
        throw noDaemon(places)
      }
      if (attempt.ok) {
        const { openOffline } = await import('./offline.ts')
        return openOffline(places, attempt.lock, { env, clock, version })
      }
      const socket = attempt.holder?.socket ?? null
      if (socket !== null && (await answers(socket))) return { ops: remoteOps(socket, actor), close: async () => {} }
      if (socket === null) throw attempt.refusal
      throw new Unreachable(
        `${attempt.refusal.message}, and it does not answer`,
        `is it starting or stopping? socket: ${socket}`,
      )
    },
    async serve(where, options, started) {
      const { serve } = await import('./serve.ts')
      return serve(placesOf(where, env), { options, started, env, clock, version })
    },
    async init(where) {
      const places = placesOf(where, env)
      prepareDirectory(places.data)
      const { acquireLock } = await import('../../store/store.ts')
      const attempt = acquireLock(places.data, { startedAt: clock.now(), version, socket: null })
      if (!attempt.ok) return { data: places.data, key: null }
      const [{ openOffline }, { firstKey }] = await Promise.all([import('./offline.ts'), import('./first.ts')])
      const { ops, close } = await openOffline(places, attempt.lock, { env, clock, version })
      try {
        return { data: places.data, key: await firstKey(ops) }
      } finally {
        await close()
      }
    },
    loading: (where) => loading(placesOf(where, env), env),
    async service(where, scope) {
      const { serviceHere } = await import('./machine.ts')
      return serviceHere({ program: [process.execPath, main], where, scope, env })
    },
    async exec(command) {
      const { inPlace } = await import('./machine.ts')
      return inPlace(command)
    },
    async demo(story) {
      const { showDemo } = await import('../../demo/demo.ts')
      return showDemo(story, main)
    },
  }
}

function noDaemon({ data }: Places): Unreachable {
  return new Unreachable(`no daemon runs on ${data}, and this needs one`, 'spillway serve starts it')
}

/**
 * The socket of the daemon that answers for these places, or null. At its default it is found without the configuration,
 * which takes longer to read than to ask; a broken one is told by whoever needs it.
 */
async function running(places: Places, env: Environment): Promise<string | null> {
  const usual = join(places.data, 'admin.sock')
  if (await isAnswering(usual)) return usual
  const { loadConfig } = await import('../../config/config.ts')
  const loaded = loadConfig(loading(places, env))
  if (!loaded.ok) return null
  const { socket } = loaded.config.admin
  return socket !== usual && (await isAnswering(socket)) ? socket : null
}

const isAnswering = async (socket: string): Promise<boolean> => existsSync(socket) && (await answers(socket))
