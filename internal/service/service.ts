/**
 * The program as a service of the system: a unit for systemd, an agent for launchd. What is written is a pure function of
 * what is asked; the rest talks to the service manager through the world that it is given.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Refusal } from '../pool/refusal.ts'
import { launchdPlist, mark, type Spec, systemdUnit } from './units.ts'

export type { Scope, Spec } from './units.ts'

/** How a command ended, and what it printed. */
export interface Ended {
  readonly code: number
  readonly text: string
}

/** The machine, as far as a service needs it. */
export interface Machine {
  readonly platform: NodeJS.Platform
  readonly env: Readonly<Record<string, string | undefined>>
  readonly home: string
  readonly uid: number
  /** Whether systemd runs this machine. */
  readonly systemd: boolean
  /** Runs a command to its end. */
  run(command: readonly string[]): Ended
}

/** The service of an installation. */
export interface Service {
  /** Where its unit is, or would be, and what stands in it. */
  readonly unit: { readonly path: string; readonly text: string }
  readonly installed: boolean
  /** Writes the unit and starts it, now and at every boot or login; returns what people should know. */
  install(): readonly string[]
  /** Stops it and removes the unit; what the program has stored stays. */
  uninstall(): readonly string[]
  state(): { readonly active: boolean; readonly said: string }
  /** The command that shows its log. */
  logs(follow: boolean): readonly string[]
}

/** The service that runs `spec`; refuses where the machine has no manager for it. */
export function serviceOf(spec: Spec, machine: Machine): Service {
  if (machine.platform === 'linux') return underSystemd(spec, machine)
  if (machine.platform === 'darwin') return underLaunchd(spec, machine)
  throw new Refusal(
    'conflict',
    'there is neither systemd nor launchd here',
    'start spillway serve by what this system has',
  )
}

function underSystemd(spec: Spec, machine: Machine): Service {
  const { scope, data } = spec
  const { env, home } = machine
  const folder =
    scope === 'system' ? '/etc/systemd/system' : join(env.XDG_CONFIG_HOME || join(home, '.config'), 'systemd/user')
  const path = join(folder, 'spillway.service')
  const unit = { path, text: systemdUnit(spec) }
  const control = ['systemctl', ...(scope === 'user' ? ['--user'] : [])]
  const does = (...words: string[]) => mustRun(machine, [...control, ...words])
  return {
    unit,
    get installed() {
      return existsSync(path)
    },
    install() {
      refuseWithout(machine)
      refuseInside(spec)
      if (scope === 'user') mkdirSync(data, { recursive: true, mode: 0o700 })
      write(unit)
      does('daemon-reload')
      does('enable', '--now', 'spillway.service')
      const stays = 'it runs while you are logged in; loginctl enable-linger keeps it running, and starts it at boot'
      return [`spillway runs as a service (${path})`, ...(scope === 'user' ? [stays] : [])]
    },
    uninstall() {
      refuseWithout(machine)
      does('disable', '--now', 'spillway.service')
      rmSync(path, { force: true })
      does('daemon-reload')
      return [`spillway is no service any more; what it has stored stays in ${data}`]
    },
    state() {
      refuseWithout(machine)
      const { code, text } = machine.run([...control, 'is-active', 'spillway.service'])
      return { active: code === 0, said: text.trim() || 'unknown' }
    },
    logs: (follow) => [
      'journalctl',
      ...(scope === 'user' ? ['--user'] : []),
      '--unit=spillway.service',
      '--output=cat',
      '--lines=100',
      ...(follow ? ['--follow'] : ['--no-pager']),
    ],
  }
}

function underLaunchd(spec: Spec, machine: Machine): Service {
  if (spec.scope === 'system')
    throw new Refusal('conflict', 'on macOS it runs as an agent of a user', 'spillway service install --user')
  const path = join(machine.home, 'Library/LaunchAgents/spillway.plist')
  const log = join(machine.home, 'Library/Logs/spillway.log')
  const unit = { path, text: launchdPlist(spec, log) }
  const domain = `gui/${machine.uid}`
  return {
    unit,
    get installed() {
      return existsSync(path)
    },
    install() {
      mkdirSync(spec.data, { recursive: true, mode: 0o700 })
      write(unit)
      machine.run(['launchctl', 'bootout', `${domain}/spillway`])
      mustRun(machine, ['launchctl', 'bootstrap', domain, path])
      return [`spillway runs as an agent (${path})`]
    },
    uninstall() {
      machine.run(['launchctl', 'bootout', `${domain}/spillway`])
      rmSync(path, { force: true })
      return [`spillway is no agent any more; what it has stored stays in ${spec.data}, its log in ${log}`]
    },
    state() {
      const { code, text } = machine.run(['launchctl', 'print', `${domain}/spillway`])
      return { active: code === 0, said: /state = (\w+)/.exec(text)?.[1] ?? 'not loaded' }
    },
    logs: (follow) => ['tail', '-n', '100', ...(follow ? ['-F'] : []), log],
  }
}

function refuseWithout({ systemd }: Machine): void {
  if (systemd) return
  const hint = 'start spillway serve by what this system has; --dry-run prints the unit'
  throw new Refusal('conflict', 'systemd does not run this machine, so it can have no service', hint)
}

/** Where systemd keeps what a service of the machine stores. */
export const stateOfMachine = '/var/lib/spillway'

/** A service of the machine has an account of its own, which sees no home and one directory. */
function refuseInside({ scope, program, data }: Spec): void {
  if (scope === 'system' && data !== stateOfMachine) {
    const sentence = `a service of the machine stores in ${stateOfMachine}, not in ${data}`
    throw new Refusal('conflict', sentence, `move what is there to ${stateOfMachine}, and leave out --data`)
  }
  const inside = program.find((path) => scope === 'system' && /^\/(home|root)\//.test(path))
  if (inside === undefined) return
  const hint = 'install Node and spillway outside of any home, or leave out --system'
  throw new Refusal('conflict', `${inside} is in a home, where a service of the machine cannot read it`, hint)
}

function write({ path, text }: Service['unit']): void {
  if (existsSync(path) && !readFileSync(path, 'utf8').includes(mark))
    throw new Refusal('conflict', `${path} was not written by spillway`, 'move it away first')
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text, { mode: 0o644 })
}

function mustRun(machine: Machine, command: readonly string[]): void {
  const { code, text } = machine.run(command)
  if (code !== 0)
    throw new Refusal('failed', `${command.join(' ')} failed (${code})${text === '' ? '' : `: ${text.trim()}`}`)
}
