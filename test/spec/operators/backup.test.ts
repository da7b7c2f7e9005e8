import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Program, type Served } from '../../fakes/rig/program.ts'
import { type FakeUpstream, fakeUpstream } from '../../fakes/upstream/upstream.ts'

let program: Program
let upstream: FakeUpstream

beforeEach(async () => {
  program = new Program()
  upstream = await fakeUpstream()
  await program.run(['init'])
  await program.run(['cred', 'add', 'work', '--provider', 'openai', '--base-url', upstream.url, '--no-check'], {
    input: 'sk-work\n',
  })
  await program.run(['pool', 'create', 'openai', '--provider', 'openai', '--members', 'work'])
})
afterEach(async () => {
  program.close()
  await upstream.close()
})

const at = (name: string) => join(program.data, name)
const passphraseFile = () => program.beside('passphrase')

function passphrase(text = 'four words of mine'): string[] {
  writeFileSync(passphraseFile(), `${text}\n`, { mode: 0o600 })
  return ['--passphrase-file', passphraseFile()]
}

async function stopped(daemon: Served): Promise<void> {
  daemon.process.kill('SIGTERM')
  await daemon.ended
}

/** Serves from the data directory and asks through the pool with the client key that is kept there. */
async function asked(data?: string): Promise<{ status: number; credential: string | null }> {
  const here = data === undefined ? program : program.elsewhere(data)
  const { stdout } = await here.run(['key', 'show', 'local'])
  const daemon = await here.serve()
  const { status } = await fetch(`${daemon.origin}/openai/v1/models`, {
    headers: { authorization: `Bearer ${stdout.trim()}` },
  })
  await stopped(daemon)
  return { status, credential: upstream.requests.at(-1)?.credential ?? null }
}

describe('a backup', () => {
  it('is taken while the daemon runs, and a restore of it serves elsewhere with an audit log that holds', async () => {
    const daemon = await program.serve()
    const file = program.beside('backup')
    const ran = await program.run(['backup', file, ...passphrase()])
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringMatching(/^wrote .*backup \(\d+ KiB\)\n$/) })
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readFileSync(file).includes(readFileSync(at('master.key')))).toBe(false)
    await stopped(daemon)
    expect(readdirSync(program.data).filter((name) => name.startsWith('backup'))).toEqual([])

    const moved = program.beside('moved')
    const there = program.elsewhere(moved)
    expect(await there.run(['restore', file, ...passphrase()])).toMatchObject({
      code: 0,
      stdout: `restored ${moved}\n`,
    })
    expect((await there.run(['audit', 'verify'])).code).toBe(0)
    expect(await asked(moved)).toEqual({ status: 200, credential: 'sk-work' })
  }, 60_000)

  it('is not restored with another passphrase, nor over a data directory, nor without being asked for one', async () => {
    const file = program.beside('backup')
    await program.run(['backup', file, ...passphrase()])
    const there = program.elsewhere(program.beside('moved'))
    const wrong = await there.run(['restore', file, ...passphrase('other words of mine')])
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('does not open this backup') })
    expect(existsSync(program.beside('moved'))).toBe(false)
    expect(await program.run(['restore', file, ...passphrase()])).toMatchObject({ code: 4 })
    expect(await there.run(['restore', file])).toMatchObject({ code: 2, stderr: expect.stringContaining('terminal') })
    expect(await program.run(['backup', file, ...passphrase()])).toMatchObject({ code: 4 })
    expect(await program.run(['backup', `${file}2`, ...passphrase('short')])).toMatchObject({ code: 2 })
    expect((await program.run(['audit', 'verify'])).code).toBe(0)
  }, 60_000)
})

describe('master-key rotate', () => {
  const rotate = () => program.run(['master-key', 'rotate', '--json'])

  it('seals everything anew, and the audit log holds and says so', async () => {
    const before = readFileSync(at('master.key'))
    const ran = await rotate()
    expect(ran.code).toBe(0)
    expect(JSON.parse(ran.stdout)).toMatchObject({ left: 0, resealed: 2 })
    expect(readFileSync(at('master.key')).equals(before)).toBe(false)
    expect(statSync(at('master.key')).mode & 0o777).toBe(0o600)
    expect((await program.run(['audit', 'verify'])).code).toBe(0)
    expect(JSON.parse((await program.run(['audit', 'list', '--json'])).stdout).at(-1)).toMatchObject({
      kind: 'master_key_rotated',
      actor: 'operator:cli',
    })
    expect(await asked()).toEqual({ status: 200, credential: 'sk-work' })
    writeFileSync(at('master.key'), before, { mode: 0o600 })
    expect(await program.run(['status'])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('belongs to master key'),
    })
  }, 60_000)

  it('is refused while a daemon has the store, and nothing changes', async () => {
    const daemon = await program.serve()
    const before = readFileSync(at('master.key'))
    expect(await rotate()).toMatchObject({ code: 4, stderr: expect.stringContaining('stop it first') })
    expect(readFileSync(at('master.key')).equals(before)).toBe(true)
    await stopped(daemon)
  }, 60_000)

  it('that was cut off before the store changed never happened', async () => {
    const before = readFileSync(at('master.key'))
    writeFileSync(at('master.key.next'), Buffer.alloc(32, 5), { mode: 0o600 })
    expect(await asked()).toEqual({ status: 200, credential: 'sk-work' })
    expect(existsSync(at('master.key.next'))).toBe(false)
    expect(readFileSync(at('master.key')).equals(before)).toBe(true)
  }, 60_000)

  it('that is killed at any moment leaves one key that opens everything', async () => {
    for (let step = 0; step < 8; step++) {
      const rotating = program.begin(['master-key', 'rotate'])
      const over = once(rotating, 'close')
      while (!existsSync(at('master.key.next')) && rotating.exitCode === null) await setTimeout(1)
      await setTimeout(step * 4)
      rotating.kill('SIGKILL')
      await over
      expect((await program.run(['audit', 'verify'])).code).toBe(0)
      expect(existsSync(at('master.key.next'))).toBe(false)
    }
    expect(await asked()).toEqual({ status: 200, credential: 'sk-work' })
  }, 120_000)

  it('that was cut off behind that is ended by the next start, and by a backup', async () => {
    const before = readFileSync(at('master.key'))
    await rotate()
    renameSync(at('master.key'), at('master.key.next'))
    writeFileSync(at('master.key'), before, { mode: 0o600 })
    expect(await program.run(['backup', program.beside('backup'), ...passphrase()])).toMatchObject({ code: 0 })
    expect(await asked()).toEqual({ status: 200, credential: 'sk-work' })
    expect(existsSync(at('master.key.next'))).toBe(false)
    const moved = program.beside('moved')
    await program.elsewhere(moved).run(['restore', program.beside('backup'), ...passphrase()])
    expect(await asked(moved)).toEqual({ status: 200, credential: 'sk-work' })
  }, 60_000)
})
