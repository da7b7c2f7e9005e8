import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkKeyFile, createKeyFile, readKeyFile, VaultError } from './vault.ts'

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-key-'))
  path = join(folder, 'master.key')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function refusal(run: () => unknown): VaultError {
  try {
    run()
  } catch (error) {
    if (error instanceof VaultError) return error
    throw error
  }
  throw new Error('it was not refused')
}

describe('creating a key file', () => {
  test('leaves 32 bytes that only the owner may read, whatever the umask, and nothing else', () => {
    const umask = process.umask(0o277)
    try {
      const key = createKeyFile(path)
      expect(key).toHaveLength(32)
      expect(Buffer.from(readKeyFile(path)).equals(key)).toBe(true)
      expect(statSync(path).mode & 0o777).toBe(0o600)
      expect(readdirSync(folder)).toEqual(['master.key'])
    } finally {
      process.umask(umask)
    }
  })

  test('gives another key each time', () => {
    const other = join(folder, 'other.key')
    expect(Buffer.from(createKeyFile(path)).equals(createKeyFile(other))).toBe(false)
  })

  test('never replaces one that is there', () => {
    createKeyFile(path)
    const before = readFileSync(path)
    expect(refusal(() => createKeyFile(path)).code).toBe('exists')
    expect(readFileSync(path).equals(before)).toBe(true)
    expect(readdirSync(folder)).toEqual(['master.key'])
  })

  test('says so when the directory is missing', () => {
    const error = refusal(() => createKeyFile(join(folder, 'none', 'master.key')))
    expect(error).toMatchObject({ code: 'unreadable', message: expect.stringContaining('ENOENT') })
  })
})

describe('a key file is refused', () => {
  const rows: [string, VaultError['code'], RegExp, () => void][] = [
    ['that is not there', 'missing', /spillway init/, () => {}],
    ['that is empty', 'wrong-length', /backup/, () => write(Buffer.alloc(0))],
    ['that is one byte short', 'wrong-length', /backup/, () => write(Buffer.alloc(31))],
    ['that is one byte long', 'wrong-length', /backup/, () => write(Buffer.alloc(33))],
    ['that the group may read', 'exposed', /chmod 600/, () => write(Buffer.alloc(32), 0o640)],
    ['that others may read', 'exposed', /chmod 600/, () => write(Buffer.alloc(32), 0o604)],
    ['that others may write', 'exposed', /chmod 600/, () => write(Buffer.alloc(32), 0o602)],
    ['that is a directory', 'unreadable', /backup/, () => mkdirSync(path)],
    ['that is a FIFO', 'unreadable', /backup/, () => execFileSync('mkfifo', [path])],
  ]

  function write(bytes: Buffer, mode = 0o600): void {
    writeFileSync(path, bytes)
    chmodSync(path, mode)
  }

  test.each(rows)('%s', (_name, code, hint, arrange) => {
    arrange()
    const error = refusal(() => readKeyFile(path))
    expect(error.code).toBe(code)
    expect(error.message).toContain(path)
    expect(error.hint).toMatch(hint)
    expect(checkKeyFile(path)).toMatchObject({ code, message: error.message })
    expect(existsSync(path)).toBe(code !== 'missing')
  })

  test.skipIf(process.getuid?.() === 0)('that this user may not read (skipped for root, who may read all)', () => {
    write(Buffer.alloc(32), 0o000)
    expect(refusal(() => readKeyFile(path))).toMatchObject({
      code: 'unreadable',
      hint: expect.stringContaining('user'),
    })
  })

  test('but not when it is in order', () => {
    createKeyFile(path)
    expect(checkKeyFile(path)).toBeNull()
  })
})
