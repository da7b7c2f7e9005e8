import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { watchConfig } from '../config.ts'

/** Timers that run when a test says so; the events that arm them are the real ones of the file system. */
class Timers {
  #armed: { delayMs: number; run: () => void }[] = []

  after(delayMs: number, run: () => void): () => void {
    const timer = { delayMs, run }
    this.#armed.push(timer)
    return () => {
      this.#armed = this.#armed.filter((other) => other !== timer)
    }
  }

  get armed(): number[] {
    return this.#armed.map(({ delayMs }) => delayMs)
  }

  run(): void {
    const due = this.#armed
    this.#armed = []
    for (const { run } of due) run()
  }
}

let folder = ''
let file = ''
let timers = new Timers()
let stop: () => void = () => {}
const changed = vi.fn()

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-watch-'))
  file = join(folder, 'spillway.yaml')
  timers = new Timers()
  changed.mockReset()
})
afterEach(() => {
  stop()
  rmSync(folder, { recursive: true, force: true })
})

async function settled(): Promise<void> {
  await vi.waitFor(() => expect(timers.armed).toEqual([250]), { timeout: 5_000 })
  timers.run()
}

describe('the watch', () => {
  it('reports a burst of writes once', async () => {
    writeFileSync(file, '1')
    stop = watchConfig(file, changed, timers)
    for (const text of ['2', '3', '4']) writeFileSync(file, text)
    await settled()
    expect(changed).toHaveBeenCalledTimes(1)
  })

  it('goes on after an editor has replaced the file', async () => {
    writeFileSync(file, '1')
    stop = watchConfig(file, changed, timers)
    for (const round of [1, 2, 3]) {
      writeFileSync(join(folder, 'new'), `${round}`)
      renameSync(join(folder, 'new'), file)
      await settled()
      expect(changed).toHaveBeenCalledTimes(round)
    }
  })

  it('sees a file that is created later', async () => {
    stop = watchConfig(file, changed, timers)
    writeFileSync(file, '1')
    await settled()
    expect(changed).toHaveBeenCalledTimes(1)
  })

  it('follows a symbolic link to its target, also to the next one', async () => {
    mkdirSync(join(folder, 'a'))
    mkdirSync(join(folder, 'b'))
    writeFileSync(join(folder, 'a', 'real'), '1')
    writeFileSync(join(folder, 'b', 'real'), '1')
    symlinkSync(join(folder, 'a', 'real'), file)
    stop = watchConfig(file, changed, timers)
    writeFileSync(join(folder, 'a', 'real'), '2')
    await settled()
    symlinkSync(join(folder, 'b', 'real'), join(folder, 'link'))
    renameSync(join(folder, 'link'), file)
    await settled()
    writeFileSync(join(folder, 'b', 'real'), '2')
    await settled()
    expect(changed).toHaveBeenCalledTimes(3)
  })

  it('does not care about other files of the folder', async () => {
    writeFileSync(file, '1')
    stop = watchConfig(file, changed, timers)
    writeFileSync(join(folder, 'spillway.db-wal'), 'x')
    writeFileSync(file, '2')
    await settled()
    writeFileSync(join(folder, 'spillway.db-wal'), 'y')
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(timers.armed).toEqual([])
  })

  it('waits for a folder that is not there yet, and says so when it can watch', () => {
    rmSync(folder, { recursive: true })
    stop = watchConfig(file, changed, timers)
    expect(timers.armed).toEqual([5_000])
    timers.run()
    expect(changed).not.toHaveBeenCalled()
    mkdirSync(folder)
    timers.run()
    expect(changed).toHaveBeenCalledTimes(1)
  })

  it('ends', async () => {
    writeFileSync(file, '1')
    watchConfig(file, changed, timers)()
    writeFileSync(file, '2')
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(timers.armed).toEqual([])
  })
})
