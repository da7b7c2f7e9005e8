import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { mark, touch, unmark } from './lock-marker.ts'

let folder = ''
let path = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-marker-'))
  path = join(folder, '.claude.lock')
})
afterEach(() => rmSync(folder, { recursive: true }))

test('a lock directory is taken by one and free again when it is given back', () => {
  expect(mark(path, 10_000)).toBe(true)
  expect(mark(path, 10_000)).toBe(false)
  unmark(path)
  unmark(path)
  expect(readdirSync(folder)).toEqual([])
  expect(mark(path, 10_000)).toBe(true)
})

test('one that nobody has touched for long is taken over, one that was touched is not', () => {
  mkdirSync(path)
  const old = new Date(statSync(path).mtimeMs - 11_000)
  utimesSync(path, old, old)
  touch(path)
  expect(mark(path, 10_000)).toBe(false)
  utimesSync(path, old, old)
  expect(mark(path, 10_000)).toBe(true)
})

test('a folder that does not exist is an error and no lock', () => {
  expect(() => mark(join(folder, 'none', 'lock'), 10_000)).toThrow('ENOENT')
})
