import { execFileSync } from 'node:child_process'
import { chmodSync, closeSync, constants, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { FakeClock, systemClock } from '../clock/clock.ts'
import { inspectFiles, readText } from './blocking.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-looks-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

it('says of each path what is there, in order', async () => {
  const file = join(folder, 'file')
  writeFileSync(file, 'x')
  chmodSync(file, 0o640)
  mkdirSync(join(folder, 'd'), 0o700)
  const uid = process.getuid?.()
  expect(
    await inspectFiles([file, join(folder, 'none'), join(file, 'below'), join(folder, 'd')], 5_000, new FakeClock()),
  ).toEqual([
    { path: file, mode: 0o640, uid, directory: false },
    { path: join(folder, 'none'), problem: 'missing' },
    { path: join(file, 'below'), problem: 'missing' },
    { path: join(folder, 'd'), mode: 0o700, uid, directory: true },
  ])
})

it('says of all paths that there was no time for that they hang', async () => {
  expect(await inspectFiles([folder, folder], 0, new FakeClock())).toEqual([
    { path: folder, problem: 'hung' },
    { path: folder, problem: 'hung' },
  ])
})

it('gives up on a file that does not answer', async () => {
  const fifo = join(folder, 'fifo')
  execFileSync('/usr/bin/mkfifo', [fifo])
  await expect(readText(fifo, 300, systemClock())).rejects.toMatchObject({ code: 'EHUNG' })
  closeSync(openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK)) // lets the thread's own open return
})
