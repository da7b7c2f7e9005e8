import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { type Scope, type Service, serviceOf, stateOfMachine } from '../../service/service.ts'
import { placesOf } from '../places.ts'
import type { Environment } from './loading.ts'

interface Asked {
  /** Node's binary and the main module. */
  readonly program: readonly string[]
  readonly where: { readonly data: string | null; readonly config: string | null }
  readonly scope: Scope
  readonly env: Environment
}

/** The service of this installation on this machine. */
export function serviceHere({ program, where, scope, env }: Asked): Service {
  const data = scope === 'system' && where.data === null ? stateOfMachine : placesOf(where, env).data
  const spec = { program, data, config: where.config, scope }
  return serviceOf(spec, {
    platform: process.platform,
    env,
    home: env.HOME ?? homedir(),
    uid: process.getuid?.() ?? 0,
    // What sd_booted(3) looks at.
    systemd: existsSync('/run/systemd/system'),
    run([command = '', ...words]) {
      const { status, stdout, stderr, error } = spawnSync(command, words, { encoding: 'utf8' })
      return { code: status ?? 1, text: error?.message ?? `${stdout}${stderr}` }
    },
  })
}

/** Runs a command on the streams of this process; resolves with its exit code. */
export function inPlace([command = '', ...words]: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, { stdio: 'inherit' })
    child.on('error', reject)
    // Ctrl-C is meant for it alone; it ends, and so do we.
    process.on('SIGINT', () => {})
    child.on('exit', (code) => resolve(code ?? 0))
  })
}

/** How the system's own browser is asked for; null on a machine without a screen. */
function browserOf(env: Environment): readonly [string, ...string[]] | null {
  if (process.platform === 'darwin') return ['open']
  if (process.platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler']
  return env.DISPLAY || env.WAYLAND_DISPLAY ? ['xdg-open'] : null
}

/** Opens an address in the browser; resolves with whether one was found. */
export function browse(address: string, env: Environment): Promise<boolean> {
  const found = browserOf(env)
  if (found === null) return Promise.resolve(false)
  const [command, ...words] = found
  return new Promise((resolve) => {
    const child = spawn(command, [...words, address], { stdio: 'ignore', detached: true })
    child.on('error', () => resolve(false))
    child.on('exit', (code) => resolve(code === 0))
    child.unref()
  })
}
