import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { answerOf, type Port, remoteOps, type Started, Unreachable } from '../../cli/cli.ts'
import { sleep, systemClock } from '../../clock/clock.ts'
import type { Refusal } from '../../pool/refusal.ts'
import type { Holder } from '../../store/store.ts'
import { isSetUp, notSetUp, type Places, placesOf, prepareDirectory } from '../places.ts'
import { invocationOf } from './invocation.ts'
import { actor, type Environment, loading } from './loading.ts'
import { startSmall } from './small-start.ts'
import { programVersion } from './version.ts'

/*
 * Most runs ask a daemon and end: the store, the proxy and everything else that a daemon is made of are loaded only by
 * those that need them.
 */
const version = programVersion()

/** The main module, as it is started. */
const main = fileURLToPath(new URL('../../../cmd/spillway/main.js', import.meta.url))

/** How long a command waits for another one that has the store open, in ms. */
const patienceMs = 5_000

const isShort = (holder: { readonly socket: string | null } | null): boolean => holder?.socket == null

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
    async open(where, { live = false, makes = false } = {}) {
      const places = placesOf(where, env)
      if (live && !existsSync(places.data)) throw noDaemon(places)
      const daemon = await running(places, env)
      if (daemon) return { ops: remoteOps(daemon, actor), close: async () => {} }
      if (!makes && !isSetUp(places)) throw notSetUp(places, where, env)
      prepareDirectory(places.data)
      const { acquireLock } = await import('../../store/store.ts')
      const acquire = () => acquireLock(places.data, { startedAt: clock.now(), version, socket: null })
      let attempt = acquire()
      // Another command holds it, which is over soon; or a daemon that is yet to listen.
      for (const until = clock.now() + patienceMs; !attempt.ok && isShort(attempt.holder) && clock.now() < until; ) {
        await sleep(clock, 100)
        attempt = acquire()
      }
      if (attempt.ok && live) {
        attempt.lock.release()
        throw noDaemon(places)
      }
      if (attempt.ok) {
        const { openOffline } = await import('./offline.ts')
        return openOffline(places, attempt.lock, { env, clock, version })
      }
      const { holder, refusal } = attempt
      if (holder?.socket == null) throw refusal
      const found = await answerOf(holder.socket)
      if (found === 'answers') return { ops: remoteOps(holder.socket, actor), close: async () => {} }
      throw silent(refusal, holder, found)
    },
    async serve(where, options, started) {
      const hasStarted = startSmall()
      const { serve } = await import('./serve.ts')
      const told = (facts: Started) => {
        hasStarted()
        started(facts)
      }
      return serve(placesOf(where, env), { options, started: told, env, clock, version })
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
    async backup(where, to) {
      const { backUp } = await import('./backup.ts')
      return backUp(placesOf(where, env), { env, clock, version }, to)
    },
    async restore(where, from) {
      const { restore } = await import('./backup.ts')
      return restore(placesOf(where, env), from)
    },
    async rotateMasterKey(where) {
      const { rotateMasterKey } = await import('./rotation.ts')
      return rotateMasterKey(placesOf(where, env), { env, clock, version })
    },
    store: {
      async migrate(where) {
        const { migrateStore } = await import('./stored.ts')
        return migrateStore(placesOf(where, env), { env, clock, version })
      },
      async check(where) {
        const { checkStore } = await import('./stored.ts')
        return checkStore(placesOf(where, env), { env, clock, version })
      },
      async copy(where, ends, progress) {
        const { copyStore } = await import('./stored.ts')
        return copyStore(placesOf(where, env), { env, clock, version }, { ends, progress })
      },
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
    async browse(address) {
      const { browse } = await import('./machine.ts')
      return browse(address, env)
    },
    async demo(story, takeOver) {
      const { showDemo } = await import('../../demo/demo.ts')
      return showDemo(story, main, takeOver)
    },
  }
}

/** A daemon that has the data directory and says nothing: it hangs, or it is about to answer. */
function silent({ message }: Refusal, { pid, socket }: Holder, found: 'hangs' | 'gone'): Unreachable {
  const hint =
    found === 'hangs'
      ? `it hangs: kill -TERM ${pid} (kill -KILL ${pid} if that does not end it), then start it again`
      : `is it starting or stopping? socket: ${socket}`
  return new Unreachable(`${message}, and it does not answer`, hint)
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
  const found = await answerOf(usual)
  if (found === 'answers') return usual
  // Whoever has the lock is asked for next; the same silence need not be waited for twice.
  if (found === 'hangs') return null
  const { loadConfig } = await import('../../config/config.ts')
  const loaded = loadConfig(loading(places, env))
  if (!loaded.ok) return null
  const { socket } = loaded.config.admin
  return socket !== usual && (await answerOf(socket)) === 'answers' ? socket : null
}
