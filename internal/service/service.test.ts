import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Machine, type Scope, type Spec, serviceOf, stateOfMachine } from './service.ts'
import { launchdPlist, systemdUnit } from './units.ts'

let home: string
let ran: string[]

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'spillway-service-'))
  ran = []
})
afterEach(() => rmSync(home, { recursive: true }))

const spec = (change: Partial<Spec> = {}): Spec => ({
  program: [process.execPath, '/opt/spillway/main.js'],
  data: join(home, 'data'),
  config: null,
  scope: 'user',
  ...change,
})

function machine(change: Partial<Machine> = {}): Machine {
  return {
    platform: 'linux',
    env: {},
    home,
    uid: 1000,
    systemd: true,
    run(command) {
      ran.push(command.join(' '))
      return { code: 0, text: 'active\n' }
    },
    ...change,
  }
}

describe('the unit for systemd', () => {
  const line = (name: string, text: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(text)?.[1]

  test('restarts what failed, but not what a restart cannot mend, and has descriptors for many streams', () => {
    const text = systemdUnit(spec())
    expect(line('Restart', text)).toBe('on-failure')
    expect(line('RestartPreventExitStatus', text)).toBe('2 4')
    expect(line('LimitNOFILE', text)).toBe('65536')
    expect(line('NoNewPrivileges', text)).toBe('yes')
    expect(line('ProtectSystem', text)).toBe('strict')
  })

  test('of a user may write its data and the logins that it shares', () => {
    expect(line('ReadWritePaths', systemdUnit(spec()))).toBe(`${home}/data -%h/.codex -%h/.claude -%h/.gemini`)
  })

  test.each([
    ['/home/ann/data', 'yes'],
    ['/tmp/data', 'no'],
    ['/var/tmp/data', 'no'],
    ['/tmpfiles', 'yes'],
  ])('with its data in %s has a /tmp of its own: %s', (data, own) => {
    expect(line('PrivateTmp', systemdUnit(spec({ data })))).toBe(own)
  })

  test('of the machine has an account and a directory of its own', () => {
    const text = systemdUnit(spec({ scope: 'system', data: stateOfMachine }))
    expect(line('DynamicUser', text)).toBe('yes')
    expect(line('StateDirectory', text)).toBe('spillway')
    expect(line('WantedBy', text)).toBe('multi-user.target')
  })

  test.each([
    ['/with space/d', '"/with space/d"'],
    ['/a"b', '"/a\\"b"'],
    ['/100%', '/100%%'],
    ['/$HOME', '/$$HOME'],
  ])('starts with the path %s as it is', (data, word) => {
    expect(line('ExecStart', systemdUnit(spec({ data })))).toBe(
      `${process.execPath} /opt/spillway/main.js --data ${word} serve`,
    )
  })

  const analyze = spawnSync('systemd-analyze', ['--version']).status === 0
  test.runIf(analyze).each<Scope>(['user', 'system'])('is understood by systemd: %s', (scope) => {
    const path = join(home, 'spillway.service')
    writeFileSync(path, systemdUnit(spec({ scope, program: [process.execPath], config: '/etc/spill way.yaml' })))
    const found = spawnSync('systemd-analyze', ['verify', '--man=no', `--${scope}`, path], { encoding: 'utf8' })
    const about = found.stderr.split('\n').filter((said) => said.includes('spillway.service'))
    expect(about).toEqual([])
  })
})

test('the property list has its words as they are', () => {
  const text = launchdPlist(spec({ data: '/a & <b>' }), '/log')
  expect(text).toContain('<string>/a &amp; &lt;b&gt;</string>\n    <string>serve</string>')
})

describe('a service of systemd', () => {
  test('is written, started, seen, and removed; the data stays', () => {
    const service = serviceOf(spec(), machine())
    const path = join(home, '.config/systemd/user/spillway.service')
    expect(service).toMatchObject({ unit: { path }, installed: false })
    expect(service.install()[0]).toContain(path)
    expect(readFileSync(path, 'utf8')).toBe(service.unit.text)
    expect(statSync(join(home, 'data')).mode & 0o777).toBe(0o700)
    expect(service.installed).toBe(true)
    expect(service.state()).toEqual({ active: true, said: 'active' })
    expect(service.uninstall()[0]).toContain(`stays in ${home}/data`)
    expect([existsSync(path), existsSync(join(home, 'data'))]).toEqual([false, true])
    expect(ran).toEqual([
      'systemctl --user daemon-reload',
      'systemctl --user enable --now spillway.service',
      'systemctl --user is-active spillway.service',
      'systemctl --user disable --now spillway.service',
      'systemctl --user daemon-reload',
    ])
  })

  test('is written again over its own unit, but not over another one', () => {
    serviceOf(spec(), machine()).install()
    serviceOf(spec({ config: '/c.yaml' }), machine()).install()
    const path = join(home, '.config/systemd/user/spillway.service')
    expect(readFileSync(path, 'utf8')).toContain('--config /c.yaml')
    writeFileSync(path, '[Service]\n')
    expect(() => serviceOf(spec(), machine()).install()).toThrow('was not written by spillway')
  })

  test.each<[string, Partial<Spec>, Partial<Machine>, string]>([
    ['systemd does not run', {}, { systemd: false }, 'systemd does not run this machine'],
    ['there is no manager at all', {}, { platform: 'win32' }, 'neither systemd nor launchd'],
    ['it would be in a home', { scope: 'system', data: stateOfMachine, program: ['/root/node'] }, {}, 'is in a home'],
    ['it would store elsewhere', { scope: 'system', data: '/srv/x' }, {}, 'stores in /var/lib/spillway'],
    ['the manager fails', {}, { run: () => ({ code: 1, text: 'no bus' }) }, 'daemon-reload failed (1): no bus'],
  ])('is refused where %s', (_name, asked, there, sentence) => {
    expect(() => serviceOf(spec(asked), machine(there)).install()).toThrow(sentence)
  })

  test('has its log in the journal', () => {
    expect(serviceOf(spec(), machine()).logs(true).join(' ')).toBe(
      'journalctl --user --unit=spillway.service --output=cat --lines=100 --follow',
    )
  })
})

test('an agent of launchd is written, started and removed', () => {
  const service = serviceOf(spec(), machine({ platform: 'darwin' }))
  service.install()
  expect(existsSync(join(home, 'Library/LaunchAgents/spillway.plist'))).toBe(true)
  service.uninstall()
  expect(service.installed).toBe(false)
  expect(ran).toContain(`launchctl bootstrap gui/1000 ${home}/Library/LaunchAgents/spillway.plist`)
  expect(() => serviceOf(spec({ scope: 'system' }), machine({ platform: 'darwin' }))).toThrow('agent of a user')
})
