import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { restoreBackup, writeBackup } from './backup.ts'

const passphrase = 'four words of mine'
const required = ['master.key', 'store.db']
// Ends within a frame, and is longer than one.
const store = randomBytes(200_000)

let folder = ''
const at = (name: string) => join(folder, name)

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-backup-'))
  mkdirSync(at('data'))
  writeFileSync(at('data/master.key'), Buffer.alloc(32, 7))
  writeFileSync(at('data/store.db'), store)
  writeFileSync(at('data/empty'), '')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const members = () => ['master.key', 'store.db', 'empty'].map((name) => ({ name, path: at(`data/${name}`) }))
const write = (to = 'backup') => writeBackup(at(to), members(), passphrase)
const restore = (from = 'backup', to = 'restored', words = passphrase) =>
  restoreBackup(at(from), at(to), { passphrase: async () => words, required })

function changed(how: (bytes: Buffer) => Buffer): void {
  writeFileSync(at('changed'), how(readFileSync(at('backup'))))
}

describe('a backup', () => {
  test('gives every file back, for its owner only', async () => {
    await write()
    expect(statSync(at('backup')).mode & 0o777).toBe(0o600)
    await restore()
    expect(readFileSync(at('restored/store.db')).equals(store)).toBe(true)
    expect(readdirSync(at('restored')).sort()).toEqual(['empty', 'master.key', 'store.db'])
    for (const name of readdirSync(at('restored'))) expect(statSync(at(`restored/${name}`)).mode & 0o777).toBe(0o600)
    expect(statSync(at('restored')).mode & 0o777).toBe(0o700)
  })

  test('shows nothing of what it holds, and never looks the same twice', async () => {
    await write()
    await write('again')
    const bytes = readFileSync(at('backup'))
    expect(bytes.includes(Buffer.alloc(32, 7))).toBe(false)
    expect(bytes.includes('master.key')).toBe(false)
    expect(bytes.subarray(300, 1_000).equals(readFileSync(at('again')).subarray(300, 1_000))).toBe(false)
  })

  test('overwrites nothing', async () => {
    writeFileSync(at('backup'), 'mine')
    await expect(write()).rejects.toMatchObject({ code: 'conflict' })
    expect(readFileSync(at('backup'), 'utf8')).toBe('mine')
  })

  test('that cannot be written leaves nothing behind', async () => {
    const gone = [...members(), { name: 'gone', path: at('gone') }]
    await expect(writeBackup(at('backup'), gone, passphrase)).rejects.toThrow()
    expect(readdirSync(folder)).toEqual(['data'])
  })
})

describe('a restore is refused and leaves nothing', () => {
  beforeEach(() => write())
  afterEach(() => expect(readdirSync(folder).filter((name) => name.startsWith('restored'))).toEqual([]))

  const flipped = (at: number) => (bytes: Buffer) => {
    const place = at < 0 ? bytes.length + at : at
    bytes[place] = (bytes[place] ?? 0) ^ 1
    return bytes
  }
  const bodyAt = (bytes: Buffer) => bytes.indexOf(10, bytes.indexOf(10) + 1) + 1

  test('with another passphrase', async () => {
    await expect(restore('backup', 'restored', 'other words of mine')).rejects.toThrow('does not open this backup')
  })

  test.each<[string, (bytes: Buffer) => Buffer, RegExp]>([
    ['is cut off within a frame', (bytes) => bytes.subarray(0, -100), /cut short or changed/],
    [
      'is cut off behind a frame',
      (bytes) => bytes.subarray(0, bodyAt(bytes) + 4 + 65_536 + 16),
      /cut short or changed/,
    ],
    ['is cut off in its head', (bytes) => bytes.subarray(0, 40), /no backup/],
    ['is empty', () => Buffer.alloc(0), /no backup/],
    ['has a changed byte at its end', flipped(-1), /cut short or changed/],
    ['has a changed byte in a frame', (bytes) => flipped(bodyAt(bytes) + 100)(bytes), /cut short or changed/],
    ['has a changed length', (bytes) => flipped(bodyAt(bytes))(bytes), /cut short or changed/],
    ['has more behind its end', (bytes) => Buffer.concat([bytes, Buffer.alloc(50)]), /cut short or changed/],
    ['lacks a frame', (bytes) => without(bytes), /cut short or changed/],
    ['is something else', () => randomBytes(500), /no backup/],
    [
      'is of a newer version',
      (bytes) => Buffer.concat([Buffer.from('spillway-backup 2'), bytes.subarray(17)]),
      /newer/,
    ],
    [
      'asks for too much memory',
      (bytes) => Buffer.from(bytes.toString('latin1').replace('131072', '16777216'), 'latin1'),
      /no backup/,
    ],
  ])('of a file that %s', async (_name, how, why) => {
    changed(how)
    await expect(restore('changed')).rejects.toThrow(why)
  })

  function without(bytes: Buffer): Buffer {
    const start = bodyAt(bytes)
    return Buffer.concat([bytes.subarray(0, start), bytes.subarray(start + 4 + 65_536 + 16)])
  }

  test('of a backup without what it needs', async () => {
    await writeBackup(at('half'), members().slice(0, 1), passphrase)
    await expect(restore('half')).rejects.toThrow('cut short')
  })
})

test('a data directory that is there is not touched', async () => {
  await write()
  mkdirSync(at('restored'))
  writeFileSync(at('restored/mine'), 'mine')
  await expect(restore()).rejects.toMatchObject({ code: 'conflict' })
  expect(readdirSync(at('restored'))).toEqual(['mine'])
})

test('nobody is asked for the passphrase of what cannot be restored anyhow', async () => {
  await write()
  writeFileSync(at('text'), 'no backup\n')
  mkdirSync(at('taken'))
  writeFileSync(at('taken/file'), '')
  const passphrase = () => Promise.reject(new Error('asked'))
  const given = { passphrase, required }
  await expect(restoreBackup(at('gone'), at('new'), given)).rejects.toThrow('does not exist')
  await expect(restoreBackup(folder, at('new'), given)).rejects.toThrow('is no file')
  await expect(restoreBackup(at('text'), at('new'), given)).rejects.toThrow('backup')
  await expect(restoreBackup(at('backup'), at('taken'), given)).rejects.toThrow('is a data directory already')
  await expect(restoreBackup(at('backup'), at('new'), given)).rejects.toThrow('asked')
  expect(existsSync(at('new'))).toBe(false)
})
