import { chmodSync, closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Sqlite } from '../../../internal/store/driver.ts'
import { Program } from '../../fakes/rig/program.ts'

let program: Program

beforeEach(() => {
  program = new Program()
})

afterEach(() => program.close())

/** What went to stderr, as lines without colour. */
const lines = (text: string) => text.trim().split('\n')

describe('names and flags', () => {
  beforeEach(async () => {
    await program.run(['cred', 'add', 'work', '--provider', 'openai', '--no-check'], { input: 'sk-work\n' })
    await program.run(['pool', 'create', 'openai', '--provider', 'openai', '--members', 'work'])
  })

  it.each([
    { what: 'a pool', args: ['pool', 'status', 'opnai'], code: 3, says: /opnai.*openai/s },
    { what: 'a member', args: ['pool', 'park', 'openai', 'wrok'], code: 3, says: /wrok.*work/s },
    {
      what: 'a provider',
      args: ['cred', 'add', 'x', '--provider', 'opneai', '--from-env', 'X'],
      code: 2,
      says: /opneai.*openai/s,
    },
    { what: 'a command', args: ['pol', 'list'], code: 2, says: /pool/ },
    { what: 'a flag', args: ['status', '--jsn'], code: 2, says: /--json/ },
    { what: 'a strategy', args: ['pool', 'set', 'openai', 'strategy=stiky'], code: 2, says: /stiky.*sticky/s },
  ])('suggests the near name for $what', async ({ args, code, says }) => {
    const ran = await program.run(args)
    expect(ran.stderr).toMatch(says)
    expect(ran).toMatchObject({ code, stdout: '' })
  })

  it('refuses to rotate a pool of one member with exit 4 and says why', async () => {
    const ran = await program.run(['pool', 'rotate', 'openai'])
    expect(ran.code).toBe(4)
    expect(ran.stderr).toMatch(/one member/)
  })

  it('says that an unparked member is not parked, and exits 0', async () => {
    const ran = await program.run(['pool', 'unpark', 'openai', 'work'])
    expect(ran).toMatchObject({ code: 0 })
    expect(ran.stdout).toMatch(/not parked/)
  })
})

describe('the configuration', () => {
  it('is refused with every problem at its line, and nothing starts', async () => {
    await program.run(['init'])
    const file = join(program.data, 'spillway.yaml')
    writeFileSync(file, 'server:\n  listn: 127.0.0.1:1\ncooldown:\n  authMs: soon\nreplay:\n  maxAttempts: -1\n')
    const ran = await program.run(['serve'])
    expect(ran.code).toBe(2)
    expect(ran.stderr).toMatch(/spillway\.yaml:2: server\.listn: .*listen/)
    expect(ran.stderr).toMatch(/spillway\.yaml:4: cooldown\.authMs/)
    expect(ran.stderr).toMatch(/spillway\.yaml:6: replay\.maxAttempts/)
  })
})

describe('the files of an installation', () => {
  beforeEach(async () => {
    await program.run(['init'])
  })

  const key = () => join(program.data, 'master.key')
  const database = () => join(program.data, 'spillway.db')

  it('a key file that others can read is refused in one sentence, and kept', async () => {
    chmodSync(key(), 0o644)
    const before = readFileSync(key())
    const ran = await program.run(['serve'])
    expect(ran.code).toBe(1)
    expect(lines(ran.stderr)[0]).toMatch(/master\.key can be read or changed by other users \(mode 0644\)/)
    expect(readFileSync(key())).toEqual(before)
  })

  it('a key file of the wrong length is refused in one sentence', async () => {
    writeFileSync(key(), 'short')
    const ran = await program.run(['status'])
    expect(ran.code).toBe(1)
    expect(lines(ran.stderr)[0]).toMatch(/has 5 bytes instead of 32/)
  })

  it('a corrupt database is refused with what to do, and its bytes stay (F12)', async () => {
    const descriptor = openSync(database(), 'r+')
    writeSync(descriptor, Buffer.alloc(4_096, 0x5a), 0, 4_096, 0)
    closeSync(descriptor)
    const before = readFileSync(database())
    const ran = await program.run(['serve'])
    expect(ran.code).toBe(1)
    expect(ran.stderr).toMatch(/spillway\.db/)
    expect(ran.stderr).toMatch(/hint/)
    expect(readFileSync(database())).toEqual(before)
  })

  it('a database of a newer version is refused with both versions, and its bytes stay (F31)', async () => {
    const newer = new Sqlite(database())
    const table = String(newer.prepare("select name from sqlite_schema where sql like '%version%'").pluck().get())
    const version = Number(newer.prepare(`select version from ${table}`).pluck().get())
    newer.prepare(`update ${table} set version = ?`).run(version + 7)
    newer.pragma('wal_checkpoint(TRUNCATE)')
    newer.close()
    const before = readFileSync(database())
    const ran = await program.run(['serve'])
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain(String(version + 7))
    expect(ran.stderr).toContain(String(version))
    expect(readFileSync(database())).toEqual(before)
  })

  it('a port in use is refused in one sentence that names the port', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as { port: number }
    const ran = await program.run(['serve', '--listen', `127.0.0.1:${port}`])
    taken.close()
    expect(ran.code).toBe(1)
    expect(ran.stderr).toMatch(new RegExp(`127\\.0\\.0\\.1:${port}: the port is in use`))
  })

  it('a second daemon on the same directory is refused and told who runs (F29)', async () => {
    const first = await program.serve()
    const second = await program.run(['serve', '--listen', '127.0.0.1:0'])
    expect(second.code).toBe(4)
    expect(second.stderr).toContain(`process ${first.process.pid}`)
    first.process.kill('SIGTERM')
    expect((await first.ended).code).toBe(0)
  })
})
