import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Installation, installation } from '../../fakes/rig/installation.ts'
import { Program } from '../../fakes/rig/program.ts'
import { type } from '../../fakes/rig/terminal.ts'
import { TelegramFake } from '../../fakes/telegram/telegram.ts'
import { answer, behind, Gate, happy } from '../../fakes/upstream/upstream.ts'

const chat = 42
const broken = 'server:\n  listn: 127.0.0.1:1\ncooldown:\n  authMs: soon\npools:\n  onExhausted: maybe\n'

describe('a bad configuration on reload (F27)', () => {
  let telegram: TelegramFake
  let spillway: Installation

  beforeEach(async () => {
    telegram = await TelegramFake.open({ chats: [chat] })
    spillway = await installation({
      config: {
        'notices.telegram.botTokenEnv': 'BOT_TOKEN',
        'notices.telegram.chatIds': String(chat),
        'notices.telegram.apiRoot': telegram.apiRoot,
      },
      env: { BOT_TOKEN: telegram.token },
    })
    await spillway.pool('openai', ['a', 'b'])
  })

  afterEach(async () => {
    await spillway.close()
    await telegram.close()
  })

  const write = (text: string) => writeFileSync(join(spillway.data, 'spillway.yaml'), text)

  it('drops no request, keeps the old one in force, and is one notice that lists every problem', async () => {
    write('cooldown: { rateLimitedMs: 7s }\n')
    expect(await spillway.ops.reload({})).toEqual({ applied: true, problems: [] })
    const gate = new Gate()
    spillway.upstream.on('sk-a').once(behind(gate, happy))
    const underWay = spillway.ask()
    await gate.reached
    const others = Array.from({ length: 50 }, () => spillway.ask())
    write(broken)
    const results = [await spillway.ops.reload({}), await spillway.ops.reload({}), await spillway.ops.reload({})]
    gate.open()
    for (const { status } of await Promise.all([underWay, ...others])) expect(status).toBe(200)
    for (const { applied, problems } of results) {
      expect(applied).toBe(false)
      expect(problems).toHaveLength(3)
      expect(problems.join('\n')).toMatch(
        /spillway\.yaml:2: server\.listn: .*\n.*:4: cooldown\.authMs: .*\n.*:6: pools\.onExhausted/s,
      )
    }
    expect(await spillway.audit('config_rejected')).toHaveLength(1)
    await spillway.advance(0)
    await telegram.until(() => telegram.shown(chat).length > 0)
    await spillway.advance(60_000)
    expect(telegram.shown(chat)).toHaveLength(1)
    const text = telegram.shown(chat)[0]?.text ?? ''
    expect(text).toMatch(/^The new configuration has 3 problems; the old one stays in force\./)
    for (const key of ['server.listn', 'cooldown.authMs', 'pools.onExhausted']) expect(text).toContain(key)
    spillway.upstream.on('sk-a').once(answer(429, {}, { error: { message: 'slow', code: 'rate_limit_exceeded' } }))
    await spillway.ask()
    const { members } = await spillway.ops.poolStatus({ name: 'openai' })
    const { since, until } = members[0]!.health
    expect(Date.parse(until ?? '') - Date.parse(since ?? '')).toBe(7_000)
  })

  it('is a second notice when it is another mistake, and none when it is mended', async () => {
    write(broken)
    await spillway.ops.reload({})
    write('audit: { maxRows: 0 }\n')
    await spillway.ops.reload({})
    write('audit: { maxRows: 5000 }\n')
    expect(await spillway.ops.reload({})).toMatchObject({ applied: true })
    expect(await spillway.audit('config_rejected')).toHaveLength(2)
    expect(await spillway.audit('config_changed')).toHaveLength(1)
  })

  it('names what waits for the next start, until that is as it was', async () => {
    write('notices: { host: another }\ncooldown: { rateLimitedMs: 7s }\n')
    expect(await spillway.ops.reload({})).toEqual({ applied: true, problems: [] })
    expect(await spillway.ops.configWaiting({})).toEqual({ settings: ['notices.host'] })
    const rows = async () => (await spillway.ops.doctor({})).filter(({ check }) => check === 'configuration')
    expect(await rows()).toEqual([
      {
        check: 'configuration',
        state: 'warn',
        message: 'changed in its file, and not in force: notices.host',
        hint: 'start the daemon again: these settings are read at its start only',
      },
    ])
    write('cooldown: { rateLimitedMs: 7s }\n')
    expect(await rows()).toMatchObject([{ state: 'ok' }])
  })

  it('can be seen in the audit log from the command line', async () => {
    write(broken)
    await spillway.ops.reload({})
    const { code, stdout } = await type(spillway, ['audit', 'list', '--kind', 'config_rejected', '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject([{ kind: 'config_rejected', actor: 'spillway' }])
  })
})

describe('the program on SIGHUP', () => {
  let program: Program

  beforeEach(() => {
    program = new Program()
  })
  afterEach(() => program.close())

  it('says what is wrong with a bad file and goes on; takes a good one into use', async () => {
    const served = await program.serve({ SPILLWAY_LOG_FORMAT: 'json' })
    let log = ''
    served.process.stderr?.on('data', (bytes: Buffer) => {
      log += bytes
    })
    writeFileSync(join(program.data, 'spillway.yaml'), broken)
    served.process.kill('SIGHUP')
    await expect.poll(() => log, { timeout: 10_000 }).toContain('config_rejected')
    expect((await fetch(`${served.origin}/readyz`)).status).toBe(200)
    writeFileSync(join(program.data, 'spillway.yaml'), 'cooldown: { rateLimitedMs: 7s }\n')
    served.process.kill('SIGHUP')
    await expect.poll(() => log, { timeout: 10_000 }).toContain('config_changed')
    served.process.kill('SIGTERM')
    expect((await served.ended).code).toBe(0)
  })
})
