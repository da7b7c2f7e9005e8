import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { invocationOf } from './invocation.ts'

let folder: string
let running: { node: string; main: string }

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'spillway-invocation-')))
  for (const name of ['bin', 'other', 'node', 'clone']) mkdirSync(join(folder, name))
  running = { node: join(folder, 'node/node'), main: join(folder, 'clone/main.js') }
  for (const path of [running.node, running.main, join(folder, 'other/spillway')]) writeFileSync(path, '')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const usual = { data: null, config: null }
const link = (to: string, name: string) => symlinkSync(to, join(folder, 'bin', name))
const env = (...folders: string[]) => ({ HOME: folder, PATH: folders.map((name) => join(folder, name)).join(':') })

test('a program on the PATH is called by its name, and by its files from elsewhere', () => {
  link(running.main, 'spillway')
  link(running.node, 'node')
  expect(invocationOf(usual, env('bin'), running)).toEqual({
    typed: ['spillway'],
    absolute: [join(folder, 'bin/node'), running.main],
  })
})

test('a program that is not on the PATH, or behind another one there, is called by its file', () => {
  link(running.main, 'spillway')
  expect(invocationOf(usual, env('other', 'bin', 'node'), running).typed).toEqual(['node', running.main])
  expect(invocationOf(usual, env('other'), running)).toEqual({
    typed: [running.node, running.main],
    absolute: [running.node, running.main],
  })
})

test('a program that npx has put on the PATH for this run is called by its file', () => {
  mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true })
  symlinkSync(running.main, join(folder, 'node_modules/.bin/spillway'))
  expect(invocationOf(usual, env('node_modules/.bin', 'node'), running).typed).toEqual(['node', running.main])
})

test('an installation that only this shell names is named', () => {
  const flags = ['--data', '/d', '--config', '/c.yaml']
  expect(invocationOf({ data: '/d', config: '/c.yaml' }, env('node'), running).typed).toEqual([
    'node',
    running.main,
    ...flags,
  ])
  const named = invocationOf(usual, { ...env('node'), SPILLWAY_DATA: '/d' }, running)
  expect(named.absolute).toEqual([running.node, running.main, '--data', '/d'])
})
