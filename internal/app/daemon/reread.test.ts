import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../../clock/clock.ts'
import { rereadConfig } from './reread.ts'

let folder = ''
let file = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-reread-'))
  file = join(folder, 'spillway.yaml')
})
afterEach(() => rmSync(folder, { recursive: true }))

function reread(explicit: boolean, clock = new FakeClock()) {
  return rereadConfig({ file, explicit, env: {}, dataDir: folder }, clock)
}

describe('reading the configuration again', () => {
  it('answers like the first reading', async () => {
    writeFileSync(file, 'log: { level: warn }')
    expect(await reread(true)).toMatchObject({ ok: true, file, config: { log: { level: 'warn' } } })
    writeFileSync(file, 'log: { level: loud }')
    expect(await reread(true)).toMatchObject({ ok: false, problems: [{ key: 'log.level' }] })
  })

  it('tells a missing file from one that cannot be read', async () => {
    expect(await reread(false)).toMatchObject({ ok: true, file: null })
    expect(await reread(true)).toMatchObject({ problems: [{ message: 'does not exist' }] })
    mkdirSync(file)
    expect(await reread(false)).toMatchObject({ problems: [{ message: 'cannot be read: it is a directory' }] })
  })

  it('gives up on a disk that does not answer', async () => {
    execFileSync('/usr/bin/mkfifo', [file])
    const clock = new FakeClock()
    const reading = reread(true, clock)
    // However far the thread has come: the start of it has a limit, too.
    await clock.advance(60_000)
    expect(await reading).toMatchObject({ problems: [{ message: 'cannot be read: the disk does not answer' }] })
    closeSync(openSync(file, constants.O_RDWR | constants.O_NONBLOCK)) // lets the thread's own open return
  })
})
