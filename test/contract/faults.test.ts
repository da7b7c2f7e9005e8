import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../internal/clock/clock.ts'
import { Sqlite } from '../../internal/store/driver.ts'
import { openSqliteStore, type Store } from '../../internal/store/store.ts'
import { cooled } from './samples.ts'
import { keyOf, type SqliteDatabase, sqliteDatabase } from './sqlite.ts'

let database: SqliteDatabase
beforeEach(() => {
  database = sqliteDatabase()
})
afterEach(() => database.remove())

function filled(store: Store, count: number): Promise<unknown> {
  return store.commit({
    writes: Array.from({ length: count }, (_, i) => ({ put: 'meta', name: `n${i}`, value: 'x'.repeat(200) })),
    audit: Array.from({ length: count }, (_, i) => ({ event: cooled(`m${i}`), suppressed: 0 })),
  })
}

describe('a database that cannot be used', () => {
  test('of a newer version is refused with both versions, and keeps its bytes', async () => {
    const store = await database.open()
    await filled(store, 3)
    await store.close()
    database.tamper(`update schema_mark set version = 99, written_by = '9.9.9'`)
    const before = readFileSync(database.file)
    const refused = database.open()
    await expect(refused).rejects.toMatchObject({ name: 'StoreError', code: 'newer', mayRetry: false })
    await expect(refused).rejects.toThrow(/spillway 9\.9\.9 \(schema 99\).*spillway 0\.1\.0 \(schema \d+\)/)
    expect(readFileSync(database.file).equals(before)).toBe(true)
  })

  test('because it is damaged is refused, says what to do, and keeps its bytes', async () => {
    const store = await database.open()
    await filled(store, 500)
    await store.close()
    const bytes = readFileSync(database.file)
    bytes.fill(0xa5, bytes.length / 2, bytes.length / 2 + 10_240)
    writeFileSync(database.file, bytes)
    await expect(database.open()).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining(database.file),
      hint: expect.stringContaining(`mv ${database.file}`),
    })
    expect(readFileSync(database.file).equals(bytes)).toBe(true)
  })

  test('because its directory is missing is refused', async () => {
    database.remove()
    await expect(database.open()).rejects.toMatchObject({
      code: 'unavailable',
      hint: expect.stringContaining('mounted'),
    })
  })
})

describe('a database that somebody else holds', () => {
  test('refuses a commit in good time, and takes it once when it is tried again', async () => {
    const clock = systemClock()
    const { file } = database
    const store = await openSqliteStore({ file, key: keyOf(1), clock, deadlineMs: 15_000 })
    await filled(store, 1)
    const other = new Sqlite(file)
    other.exec('begin exclusive')
    const batch = { writes: [], audit: [{ event: cooled('late'), suppressed: 0 }] }
    const began = clock.mono()
    for (let i = 0; i < 2; i++)
      await expect(store.commit(batch)).rejects.toMatchObject({ code: 'locked', mayRetry: true })
    expect(clock.mono() - began).toBeLessThan(12_000)
    // Reading goes on meanwhile.
    expect((await store.load()).meta).toHaveProperty('n0')
    other.exec('rollback')
    other.close()
    expect(await store.commit(batch)).toEqual([2])
    expect(await store.verifyAudit()).toMatchObject({ ok: true, rows: 2 })
    await store.close()
  })
})

describe('a full disk', () => {
  let room: string
  beforeEach(() => {
    room = mkdtempSync(join(tmpdir(), 'spillway-full-'))
  })
  afterEach(() => {
    spawnSync('umount', ['-l', room])
    rmSync(room, { recursive: true, force: true })
  })

  test('refuses what does not fit, keeps what is there, and goes on when there is room', async ({ skip }) => {
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', room])
    skip(mounted.status !== 0, 'a small tmpfs cannot be mounted here')
    const store = await sqliteDatabase(room).open()
    await filled(store, 50)
    const ballast = join(room, 'ballast')
    spawnSync('dd', ['if=/dev/zero', `of=${ballast}`, 'bs=4096'])
    const big = { put: 'meta' as const, name: 'big', value: 'x'.repeat(300_000) }
    const batch = { writes: [big], audit: [{ event: cooled('full'), suppressed: 0 }] }
    await expect(store.commit(batch)).rejects.toMatchObject({ code: 'full', mayRetry: true })
    expect(Object.keys((await store.load()).meta)).toHaveLength(50)
    rmSync(ballast)
    expect(await store.commit(batch)).toEqual([51])
    expect(await store.verifyAudit()).toMatchObject({ ok: true, rows: 51 })
    await store.close()
  })
})

describe('a data directory on a mount that fails', () => {
  let folders: { under: string; mount: string }
  let server: ChildProcess | null

  beforeEach(() => {
    const root = mkdtempSync(join(tmpdir(), 'spillway-mount-'))
    folders = { under: join(root, 'under'), mount: join(root, 'mount') }
    for (const folder of Object.values(folders)) mkdirSync(folder)
    server = null
  })
  afterEach(async () => {
    server?.kill('SIGCONT')
    await unmounted('SIGTERM')
    rmSync(dirname(folders.mount), { recursive: true, force: true })
  })

  /** Serves `under` at `mount` with a process of our own that can be stopped and killed. */
  async function mounted(): Promise<ChildProcess> {
    const { under, mount } = folders
    const began = spawn('bindfs', ['-f', under, mount], { stdio: 'ignore' })
    server = began
    await expect.poll(() => statSync(mount).dev !== statSync(under).dev, { timeout: 10_000 }).toBe(true)
    return began
  }

  async function unmounted(signal: NodeJS.Signals): Promise<void> {
    if (!server) return
    const gone = once(server, 'exit')
    server.kill(signal)
    await gone
    server = null
    spawnSync('umount', ['-l', folders.mount])
  }

  const noBindfs = spawnSync('bindfs', ['--version']).status !== 0 || !existsSync('/dev/fuse')
  const commitOf = (from: string) => ({ writes: [], audit: [{ event: cooled(from), suppressed: 0 }] })

  function open(deadlineMs: number): Promise<Store> {
    const file = join(folders.mount, 'spillway.db')
    return openSqliteStore({ file, key: keyOf(1), clock: systemClock(), deadlineMs })
  }

  test('is used again when it is back, without a database being begun in the empty mount point', async ({ skip }) => {
    skip(noBindfs, 'bindfs is missing or may not mount here')
    await mounted()
    const store = await open(15_000)
    expect(await store.commit(commitOf('a'))).toEqual([1])
    const late = commitOf('b')
    await unmounted('SIGKILL')
    for (let i = 0; i < 3; i++) {
      await expect(store.commit(late)).rejects.toMatchObject({ code: 'unavailable', mayRetry: true })
    }
    expect(readdirSync(folders.mount)).toEqual([])
    await mounted()
    expect(await store.commit(late)).toEqual([2])
    expect(await store.verifyAudit()).toMatchObject({ ok: true, rows: 2 })
    await store.close()
  })

  test('does not keep anybody waiting while it hangs, and takes what was pending once', async ({ skip }) => {
    skip(noBindfs, 'bindfs is missing or may not mount here')
    const began = await mounted()
    const store = await open(2_500)
    expect(await store.commit(commitOf('a'))).toEqual([1])
    began.kill('SIGSTOP')
    const late = commitOf('b')
    for (let i = 0; i < 5; i++) {
      await expect(store.commit(late)).rejects.toMatchObject({ code: 'deadline', mayRetry: true })
    }
    began.kill('SIGCONT')
    await expect.poll(() => store.commit(late).catch(() => null), { timeout: 15_000 }).toEqual([2])
    expect((await store.audit({})).map(({ from }) => from)).toEqual(['a', 'b'])
    expect(await store.verifyAudit()).toMatchObject({ ok: true, rows: 2 })
    await store.close()
  })
})
