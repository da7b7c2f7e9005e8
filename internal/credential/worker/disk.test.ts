import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readFile, replaceFile, reserveFile, stamp } from './disk.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-disk-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function file(text: string, mode = 0o600): string {
  const path = join(folder, 'auth.json')
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

test('a replaced file has the new content, the old mode and owner, and nothing is left beside it', () => {
  const path = file('before', 0o640)
  if (process.getuid?.() === 0) chownSync(path, 1234, 2345)
  const owner = statSync(path)
  const spare = reserveFile(path, 4096)
  expect(statSync(spare).size).toBe(4096)
  const written = replaceFile(path, { spare, before: 'before', after: 'after' })
  expect(written).toBe(stamp(path))
  expect(readFileSync(path, 'utf8')).toBe('after')
  expect(statSync(path)).toMatchObject({ mode: owner.mode, uid: owner.uid, gid: owner.gid })
  expect(readdirSync(folder)).toEqual(['auth.json'])
})

test('a file that is mounted by itself is refused before anything depends on it', (context) => {
  const path = file('before')
  const other = join(folder, 'other')
  writeFileSync(other, '')
  if (spawnSync('mount', ['--bind', path, other]).status !== 0) return context.skip('nothing can be mounted here')
  try {
    expect(() => reserveFile(other, 10)).toThrow('mount its folder')
  } finally {
    spawnSync('umount', [other])
  }
})

test('a file that somebody else changed is left as it is', () => {
  const path = file('before')
  const spare = reserveFile(path, 10)
  writeFileSync(path, 'theirs')
  expect(replaceFile(path, { spare, before: 'before', after: 'after' })).toBeNull()
  expect(readFileSync(path, 'utf8')).toBe('theirs')
})

test('a symbolic link stays one and its target is replaced', () => {
  const path = file('before')
  const link = join(folder, 'link')
  symlinkSync(path, link)
  replaceFile(link, { spare: reserveFile(link, 10), before: 'before', after: 'after' })
  expect(readFileSync(path, 'utf8')).toBe('after')
  expect(
    readdirSync(folder, { withFileTypes: true })
      .find((each) => each.name === 'link')
      ?.isSymbolicLink(),
  ).toBe(true)
})

test('a directory, a FIFO and a large file are refused without waiting', () => {
  expect(() => readFile(folder)).toThrow('not a regular file')
  const fifo = join(folder, 'fifo')
  expect(spawnSync('mkfifo', [fifo]).status).toBe(0)
  expect(() => readFile(fifo)).toThrow('not a regular file')
  expect(() => readFile(file('x'.repeat(1024 * 1024 + 1)))).toThrow('larger than 1 MiB')
})

test('the stamp of a file changes when it is replaced by one of the same size, and is null when it is gone', () => {
  const path = file('before')
  const first = stamp(path)
  expect(readFile(path).stamp).toBe(first)
  replaceFile(path, { spare: reserveFile(path, 10), before: 'before', after: 'behind' })
  expect(stamp(path)).not.toBe(first)
  expect(stamp(join(folder, 'none'))).toBeNull()
})
