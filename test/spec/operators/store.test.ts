import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type PostgresServer, startPostgres } from '../../fakes/postgres/server.ts'
import { Program } from '../../fakes/rig/program.ts'

let server: PostgresServer
let program: Program
let url: string

beforeAll(async () => {
  server = await startPostgres()
})
afterAll(() => server.stop())
beforeEach(async () => {
  program = new Program()
  url = `postgres://postgres@127.0.0.1:${server.port}/${await server.createDatabase()}`
  await program.run(['cred', 'add', 'work', '--provider', 'openai', '--no-check'], { input: 'sk-work\n' })
  await program.run(['pool', 'create', 'team', '--provider', 'openai', '--members', 'work'])
})
afterEach(() => program.close())

/** Has the installation at `data` use the database. */
function use(data: string): void {
  writeFileSync(join(data, 'spillway.yaml'), `store: { url: '${url}' }\n`)
}

/** Another replica, with the key of the first one unless it shall have none. */
function replica(name: string, keyed = true): Program {
  const data = program.beside(name)
  mkdirSync(data, { mode: 0o700 })
  if (keyed) copyFileSync(join(program.data, 'master.key'), join(data, 'master.key'))
  use(data)
  return program.elsewhere(data)
}

describe('a store that is copied to PostgreSQL', () => {
  beforeEach(async () => {
    expect(await program.run(['store', 'copy', '--to', url])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/credentials +1 +[0-9a-f]{12} +copied/),
    })
  })

  it('serves every replica, which hears of what another one was told', async () => {
    use(program.data)
    const other = replica('two')
    expect(await program.run(['pool', 'park', 'team', 'work', '--for', '1h'])).toMatchObject({ code: 0 })
    expect(await other.run(['pool', 'status', 'team'])).toMatchObject({ stdout: expect.stringContaining('parked') })
    expect(await other.run(['audit', 'verify'])).toMatchObject({ code: 0, stdout: expect.stringContaining('3 rows') })
    const check = await other.run(['store', 'check', '--json'])
    expect(JSON.parse(check.stdout)).toMatchObject({ url, server: { isPooled: false }, problems: [] })
    expect(await other.run(['doctor'])).toMatchObject({ stdout: expect.stringMatching(/ok +store +PostgreSQL \d/) })
  })

  it('is refused to a replica with another key, or with none, which is then not left with one', async () => {
    const keyless = replica('keyless', false)
    expect(await keyless.run(['init'])).toMatchObject({
      code: 4,
      stderr: expect.stringMatching(
        /belongs to master key [0-9a-f]{16}, and there is no .*master\.key\n.*Copy the master key/,
      ),
    })
    expect(existsSync(join(program.beside('keyless'), 'master.key'))).toBe(false)
    const stranger = replica('stranger')
    writeFileSync(join(program.beside('stranger'), 'master.key'), Buffer.alloc(32, 7), { mode: 0o600 })
    for (const args of [
      ['serve', '--listen', '127.0.0.1:0'],
      ['pool', 'status'],
    ])
      expect(await stranger.run(args)).toMatchObject({
        code: 4,
        stderr: expect.stringContaining('belongs to master key'),
      })
  })

  it('is backed up while a replica runs, and restored to a machine of its own', async () => {
    use(program.data)
    const daemon = await program.serve()
    const phrase = program.beside('passphrase')
    writeFileSync(phrase, 'four words of mine\n', { mode: 0o600 })
    const file = program.beside('backup')
    expect(await program.run(['backup', file, '--passphrase-file', phrase])).toMatchObject({ code: 0 })
    daemon.process.kill('SIGTERM')
    await once(daemon.process, 'close')
    const restored = program.elsewhere(program.beside('restored'))
    expect(await restored.run(['restore', file, '--passphrase-file', phrase])).toMatchObject({ code: 0 })
    writeFileSync(join(program.beside('restored'), 'spillway.yaml'), '')
    expect(await restored.run(['pool', 'status', 'team'])).toMatchObject({ stdout: expect.stringContaining('work') })
    expect(await restored.run(['audit', 'verify'])).toMatchObject({ code: 0 })
  })

  it('is not copied over another one, nor while a daemon runs, nor from nowhere', async () => {
    await program.run(['cred', 'add', 'late', '--provider', 'openai', '--no-check'], { input: 'sk-late\n' })
    expect(await program.run(['store', 'copy', '--to', url])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('holds another store already (credentials differs)'),
    })
    expect(await program.run(['store', 'copy', '--to', 'elsewhere'])).toMatchObject({ code: 2 })
    const missing = `sqlite:${program.beside('missing.db')}`
    expect(await program.run(['store', 'copy', '--from', missing, '--to', url])).toMatchObject({ code: 3 })
    const daemon = await program.serve()
    expect(await program.run(['store', 'copy', '--to', url])).toMatchObject({ code: 4 })
    daemon.process.kill('SIGTERM')
    await once(daemon.process, 'close')
  })
})

describe('a store on PostgreSQL', () => {
  const password = 'CANARY-of-the-database'

  it('is asked for with a password that stands in a file, and nothing shows it', async () => {
    writeFileSync(program.beside('password'), `${password}\n`, { mode: 0o600 })
    const store = `{ url: '${url}', passwordFile: '${program.beside('password')}' }`
    writeFileSync(join(program.data, 'spillway.yaml'), `store: ${store}\nlog: { level: debug }\n`)
    const ran = [
      await program.run(['store', 'migrate']),
      await program.run(['store', 'check', '--json']),
      await program.run(['config', 'show', '--origin']),
      await program.run(['doctor']),
    ]
    expect(ran.map(({ code }) => code).slice(0, 3)).toEqual([0, 0, 0])
    expect(JSON.stringify(ran)).not.toContain(password)
  })

  it('is not named with a password: config check says where it belongs and does not repeat it', async () => {
    writeFileSync(join(program.data, 'spillway.yaml'), `store: { url: 'postgres://u:${password}@db/x' }\n`)
    const ran = await program.run(['config', 'check'])
    expect(ran).toMatchObject({ code: 2, stderr: expect.stringContaining('store.passwordFile') })
    expect(ran.stderr + ran.stdout).not.toContain(password)
  })

  it('that cannot be reached says so, and where it was looked for', async () => {
    writeFileSync(join(program.data, 'spillway.yaml'), "store: { url: 'postgres://u@127.0.0.1:1/x' }\n")
    expect(await program.run(['serve', '--listen', '127.0.0.1:0'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('postgres://u@127.0.0.1:1/x cannot be reached: connect ECONNREFUSED'),
    })
  })
})
