import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Sqlite } from '../../../internal/store/driver.ts'
import { Program } from '../../fakes/rig/program.ts'

let program: Program
let right: Buffer

beforeEach(async () => {
  program = new Program()
  await program.run(['cred', 'add', 'work', '--provider', 'openai', '--no-check'], { input: 'sk-work\n' })
  // Killed, so that a part of the store is in its log only.
  const daemon = await program.serve()
  await program.ops.poolCreate({ name: 'openai', provider: 'openai', members: ['work'] })
  daemon.process.kill('SIGKILL')
  await once(daemon.process, 'close')
  right = readFileSync(keyFile())
})

afterEach(() => program.close())

const keyFile = () => join(program.data, 'master.key')

/** The database and its log, as digests. */
function store(): Record<string, string> {
  // An empty log says nothing: SQLite makes one when it reads.
  const names = readdirSync(program.data).filter(
    (name) => /^spillway\.db(-wal)?$/.test(name) && statSync(join(program.data, name)).size > 0,
  )
  return Object.fromEntries(
    names.map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(program.data, name)))
        .digest('hex'),
    ]),
  )
}

/** What a version without fingerprints would have left. */
function forgetFingerprint(): void {
  const database = new Sqlite(join(program.data, 'spillway.db'))
  database.exec("delete from meta where name = 'master-key'")
  database.close()
}

describe.each([
  ['', () => {}],
  [' of a store that an earlier version wrote', forgetFingerprint],
])('the master key of another backup%s', (_which, before) => {
  it.each([[['serve', '--listen', '127.0.0.1:0']], [['cred', 'list']], [['audit', 'verify']], [['init']]])(
    'stops `spillway %j` with exit 4, both fingerprints and what to do, and nothing is written',
    async (args) => {
      before()
      writeFileSync(keyFile(), randomBytes(32))
      const kept = store()
      const ran = await program.run(args)
      expect(ran).toMatchObject({ code: 4, stdout: '' })
      const [theirs, ours] = ran.stderr.match(/\b[0-9a-f]{16}\b/g) ?? []
      expect(theirs).toMatch(/^[0-9a-f]{16}$/)
      expect(ours).not.toBe(theirs)
      expect(ran.stderr).toContain(keyFile())
      expect(ran.stderr).toMatch(/hint: .*Put back the key file/)
      expect(store()).toEqual(kept)

      writeFileSync(keyFile(), right)
      expect((await program.run(['audit', 'verify'])).code).toBe(0)
      expect((await program.run(['cred', 'list'])).stdout).toContain('work')
    },
  )
})

it('a store that an earlier version wrote gets its fingerprint at the first start with its key', async () => {
  forgetFingerprint()
  expect((await program.run(['cred', 'list'])).code).toBe(0)
  const database = new Sqlite(join(program.data, 'spillway.db'), { readonly: true })
  expect(database.prepare("select value from meta where name = 'master-key'").pluck().get()).toMatch(/^[0-9a-f]{16}$/)
  database.close()
})
