import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Sqlite } from '../../../internal/store/driver.ts'
import { Program } from '../../fakes/rig/program.ts'

/** An installation with six audit rows, made by commands. */
const original = new Program()

beforeAll(async () => {
  await original.run(['init'])
  for (const name of ['a', 'b']) {
    await original.run(['cred', 'add', name, '--provider', 'openai', '--no-check'], { input: `sk-${name}\n` })
  }
  await original.run(['pool', 'create', 'openai', '--provider', 'openai', '--members', 'a,b'])
  await original.run(['pool', 'park', 'openai', 'b'])
  await original.run(['pool', 'rotate', 'openai'])
})

afterAll(() => original.close())

/** Runs `audit verify` on a copy of the installation to which somebody has done something with other tools. */
async function verified(tamper: readonly string[], json = false) {
  const copy = new Program()
  try {
    cpSync(original.data, copy.data, { recursive: true })
    const database = new Sqlite(join(copy.data, 'spillway.db'))
    for (const statement of tamper) database.exec(statement)
    database.close()
    return await copy.run(['audit', 'verify', ...(json ? ['--json'] : [])])
  } finally {
    copy.close()
    rmSync(copy.data, { recursive: true, force: true })
  }
}

describe('audit verify (A19)', () => {
  it('says that the chain holds when nobody touched it', async () => {
    const ran = await verified([])
    expect(ran.code).toBe(0)
    expect(ran.stdout).toMatch(/^the chain holds: \d+ rows, the last is \d+ \([0-9a-f]{12}\)\n$/)
  })

  it.each([
    { name: 'a field of a row was edited', tamper: [`update audit set actor = 'somebody' where seq = 3`], row: 3 },
    { name: 'the time of a row was edited', tamper: ['update audit set at = at - 1000 where seq = 2'], row: 2 },
    { name: 'the details of a row were edited', tamper: [`update audit set detail = '{}' where seq = 1`], row: 1 },
    { name: 'a row was deleted', tamper: ['delete from audit where seq = 4'], row: 4 },
    { name: 'the first row was deleted', tamper: ['delete from audit where seq = 1'], row: 1 },
    {
      name: 'two rows changed places',
      tamper: [
        'update audit set seq = 999 where seq = 2',
        'update audit set seq = 2 where seq = 3',
        'update audit set seq = 3 where seq = 999',
      ],
      row: 2,
    },
    {
      name: 'the last row was cut off',
      tamper: ['delete from audit where seq = (select max(seq) from audit)'],
      row: 6,
    },
    { name: 'all rows were cut off', tamper: ['delete from audit'], row: 1 },
  ])('names the first bad row and exits 1 when $name', async ({ tamper, row }) => {
    const ran = await verified(tamper)
    expect(ran.code).toBe(1)
    expect(ran.stdout).toMatch(new RegExp(`^the chain is broken at row ${row}: .+\\n$`))
  })

  it('names the row in --json, too', async () => {
    const ran = await verified(['delete from audit where seq = 4'], true)
    expect(ran.code).toBe(1)
    expect(JSON.parse(ran.stdout)).toEqual({ ok: false, seq: 4, problem: expect.any(String) })
  })
})

describe('audit list', () => {
  it('shows each action of an operator once, in order, with who did it', async () => {
    const ran = await original.run(['audit', 'list', '--json'])
    const rows: { kind: string; actor: string; seq: number; at: string }[] = JSON.parse(ran.stdout)
    expect(rows.map(({ kind }) => kind)).toEqual([
      'key_created',
      'cred_added',
      'cred_added',
      'pool_changed',
      'member_parked',
      'pool_rotated',
    ])
    for (const { actor, at } of rows) {
      expect(actor).toBe('operator:cli')
      expect(new Date(at).toISOString()).toBe(at)
    }
  })
})
