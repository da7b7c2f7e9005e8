import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { auditKeyOf, type SqliteDatabase, sqliteDatabase } from './sqlite.ts'

const committer = fileURLToPath(new URL('committer.mjs', import.meta.url))
const kills = 20

let database: SqliteDatabase
beforeEach(() => {
  database = sqliteDatabase()
  writeFileSync(`${database.file}.key`, auditKeyOf(1))
})
afterEach(() => database.remove())

/** Lets the committer begin at `first` and kills it after `more` answers and a moment; returns the last answered number. */
async function killedWhileCommitting(first: number, more: number, momentMs: number): Promise<number> {
  const child = spawn(process.execPath, [committer, database.file, String(first), '1000000'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const gone = once(child, 'exit')
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk
    if (said.includes(`done ${first + more}\n`)) setTimeout(() => child.kill('SIGKILL'), momentMs)
  })
  const [code, signal] = await gone
  expect([code, signal]).toEqual([null, 'SIGKILL'])
  const numbers = [...said.matchAll(/done (\d+)\n/g)].map(([, number]) => Number(number))
  return numbers.at(-1) ?? 0
}

describe('a process that is killed while it commits', () => {
  test(`has kept everything that was answered, whole, with a sound chain (${kills} kills)`, {
    timeout: 180_000,
  }, async () => {
    let next = 1
    for (let kill = 0; kill < kills; kill++) {
      const answered = await killedWhileCommitting(next, kill % 4, (kill * 7) % 9)
      expect(answered).toBeGreaterThanOrEqual(next)
      const store = await database.open()
      const { meta, hosts } = await store.load()
      const count = Number(meta.count)
      // One commit more may have been written whose answer was not heard any more.
      expect([answered, answered + 1]).toContain(count)
      expect(hosts[0]?.failures).toBe(count)
      expect(await store.verifyAudit()).toMatchObject({ ok: true, rows: count })
      expect((await store.audit({ limit: 1 }))[0]).toMatchObject({ seq: count, from: `m${count}` })
      await store.close()
      next = count + 1
    }
  })
})

describe('an answered commit', () => {
  test('was forced to the disk before its answer', { timeout: 60_000 }, ({ skip }) => {
    skip(spawnSync('strace', ['-o', '/dev/null', 'true']).status !== 0, 'strace is missing or may not trace here')
    const commits = 10
    const trace = join(database.folder, 'trace')
    const calls = 'trace=fsync,fdatasync,write'
    execFileSync('strace', [
      '-f',
      '-e',
      calls,
      '-o',
      trace,
      process.execPath,
      committer,
      database.file,
      '1',
      String(commits),
    ])
    let synced = 0
    const before: number[] = []
    for (const line of readFileSync(trace, 'utf8').split('\n')) {
      if (/(fsync|fdatasync)(\(\d+\)| resumed>.*\))\s+= 0$/.test(line)) synced++
      if (!/write\(1, "done \d+\\n"/.test(line)) continue
      before.push(synced)
      synced = 0
    }
    expect(before).toHaveLength(commits)
    for (const count of before) expect(count).toBeGreaterThanOrEqual(1)
  })
})
