import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Sqlite } from '../../internal/store/driver.ts'
import { type Installation, installation } from '../fakes/rig/installation.ts'
import { Program } from '../fakes/rig/program.ts'

describe('A18: sealed secrets', () => {
  let spillway: Installation

  beforeEach(async () => {
    spillway = await installation()
    await spillway.pool('openai', ['a', 'b', 'c'])
    await spillway.stop()
  })

  afterEach(() => spillway.close())

  /** Does something to the database while nobody runs, and starts again. */
  async function tamper(...statements: string[]): Promise<void> {
    const database = new Sqlite(join(spillway.data, 'spillway.db'))
    for (const statement of statements) database.exec(statement)
    database.close()
    await spillway.start()
    // Secrets are opened right after the start, a few at a time.
    await spillway.advance(0)
  }

  const sealedOf = (name: string) =>
    `(select sealed from secrets where owner = (select id from credentials where name = '${name}'))`
  const whereOf = (name: string) => `where owner = (select id from credentials where name = '${name}')`

  const health = async () =>
    Object.fromEntries(
      (await spillway.ops.poolStatus({ name: 'openai' })).members.map(({ name, health }) => [name, health]),
    )

  it.each([
    {
      name: 'swapped between two credentials',
      statements: [
        `create temp table kept as select ${sealedOf('a')} as sealed`,
        `update secrets set sealed = ${sealedOf('b')} ${whereOf('a')}`,
        `update secrets set sealed = (select sealed from kept) ${whereOf('b')}`,
      ],
      spoiled: ['a', 'b'],
    },
    {
      name: 'copied from another credential',
      statements: [`update secrets set sealed = ${sealedOf('b')} ${whereOf('a')}`],
      spoiled: ['a'],
    },
    {
      name: 'cut short',
      statements: [`update secrets set sealed = substr(sealed, 1, 20) ${whereOf('a')}`],
      spoiled: ['a'],
    },
    {
      name: 'moved to another generation',
      statements: [`update secrets set generation = generation + 1 ${whereOf('a')}`],
      spoiled: ['a'],
    },
    { name: 'removed', statements: [`delete from secrets ${whereOf('a')}`], spoiled: ['a'] },
  ])('that were $name are not used: their credentials are out, the others serve', async ({ statements, spoiled }) => {
    await tamper(...statements)
    for (let i = 0; i < 5; i++) expect((await spillway.ask()).status).toBe(200)
    const sound = ['a', 'b', 'c'].filter((name) => !spoiled.includes(name))
    expect(new Set(spillway.upstream.served)).toEqual(new Set([`sk-${sound[0]}`]))
    const states = await health()
    for (const name of spoiled) expect(states[name]).toMatchObject({ state: 'unreadable', reason: 'unreadable' })
    for (const name of sound) expect(states[name]).toMatchObject({ state: 'healthy' })
    const rows = await spillway.ops.doctor({})
    for (const name of spoiled) {
      expect(rows.find(({ check }) => check === `credential ${name}`)?.state).toBe('fail')
    }
  })

  it('cannot be read without the key file', async () => {
    const database = new Sqlite(join(spillway.data, 'spillway.db'), { readonly: true })
    const rows = database.prepare('select * from secrets').all()
    database.close()
    expect(rows).toHaveLength(4)
    for (const row of rows) expect(JSON.stringify(row)).not.toMatch(/sk-[abc]|sk-spillway/)
    await spillway.start()
  })
})

describe('A22: files that others can read', () => {
  let program: Program

  beforeEach(() => {
    program = new Program()
  })
  afterEach(() => program.close())

  it('a data directory is closed to them at the start, with a warning', async () => {
    mkdirSync(program.data, { mode: 0o755 })
    chmodSync(program.data, 0o755)
    const served = await program.serve()
    expect(statSync(program.data).mode & 0o777).toBe(0o700)
    served.process.kill('SIGTERM')
    const { stderr, stdout } = await served.ended
    expect(stdout + stderr).toMatch(/was open to other users \(mode 755\); it is 700 now/)
  })

  it('everything that is made in it is closed to them from the beginning', async () => {
    const served = await program.serve()
    for (const name of ['master.key', 'spillway.db', 'admin.sock']) {
      expect([name, statSync(join(program.data, name)).mode & 0o077]).toEqual([name, 0])
    }
    served.process.kill('SIGTERM')
    await served.ended
  })

  it('a credential file is named by doctor, with what to type', async () => {
    const file = program.beside('key')
    writeFileSync(file, 'sk-work\n', { mode: 0o644 })
    chmodSync(file, 0o644)
    await program.run(['cred', 'add', 'work', '--provider', 'openai', '--no-check', '--from-file', file])
    const { stdout } = await program.run(['doctor', '--json'])
    const rows: { message: string; hint: string | null; state: string }[] = JSON.parse(stdout)
    const found = rows.filter(({ message, state }) => message.includes(file) && state !== 'ok')
    expect(found.map(({ hint }) => hint)).toContainEqual(expect.stringContaining('chmod 600'))
  })

  it.each([
    { name: 'the bot token', setting: 'SPILLWAY_NOTICES_TELEGRAM_BOT_TOKEN_FILE' },
    { name: 'the webhook secret', setting: 'SPILLWAY_NOTICES_WEBHOOK_SECRET_FILE' },
    { name: 'the admin token', setting: 'SPILLWAY_ADMIN_TOKEN_FILE' },
  ])('$name is closed to them at the start, with a warning, and used', async ({ setting }) => {
    const file = program.beside('secret')
    writeFileSync(file, '1234567890:secret-of-the-file\n')
    chmodSync(file, 0o644)
    const env = {
      [setting]: file,
      ...(setting.includes('ADMIN') ? { SPILLWAY_ADMIN_LISTEN: '127.0.0.1:0' } : {}),
      SPILLWAY_NOTICES_WEBHOOK_URL: 'http://127.0.0.1:9/',
    }
    const served = await program.serve(env)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    served.process.kill('SIGTERM')
    const { stderr } = await served.ended
    expect(stderr).toMatch(/was open to other users \(mode 644\); it is 600 now/)
    expect(stderr).not.toContain('secret-of-the-file')
  })

  it('a file of the configuration that is missing stops a start with exit 2, and is named with its setting', async () => {
    const { code, stderr } = await program.run(['serve'], {
      env: { SPILLWAY_NOTICES_TELEGRAM_BOT_TOKEN_FILE: '/nowhere/token', SPILLWAY_NOTICES_WEBHOOK_SECRET_ENV: 'UNSET' },
    })
    expect(code).toBe(2)
    expect(stderr).toMatch(/notices\.telegram\.botTokenFile: \/nowhere\/token does not exist/)
    expect(stderr).toMatch(/notices\.webhook\.secretEnv: the environment variable UNSET is not set here/)
  })
})
