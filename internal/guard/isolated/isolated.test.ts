import { randomInt } from 'node:crypto'
import {
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { answered } from './command.ts'
import { createFile, removeFile } from './look.ts'
import { parseMounts } from './mounts.ts'
import { probe } from './probe.ts'
import { remove } from './remove.ts'
import { Few, type Marks } from './tally.ts'
import { walk } from './walk.ts'

const now = Date.UTC(2026, 0, 5, 14)
const minute = 60_000
const marks: Marks = { now, windowMs: 60 * minute, errorAt: null, keepFirst: 3, oldest: 100 }

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-isolated-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** Makes a file of so many bytes that was written so many minutes ago. */
function file(path: string, bytes: number, minutesAgo: number): void {
  const whole = join(folder, path)
  mkdirSync(dirname(whole), { recursive: true })
  writeFileSync(whole, Buffer.alloc(bytes))
  utimesSync(whole, (now - minutesAgo * minute) / 1000, (now - minutesAgo * minute) / 1000)
}

function seen(change: Partial<Parameters<typeof walk>[0]> = {}) {
  return walk({ key: 'test', path: folder, match: '**', marks, sliceMs: 10_000, anew: true, ...change })
}

describe('a walk', () => {
  it('counts files at any depth, and when they were written', () => {
    file('a', 10, 90)
    file('2026/b', 20, 30)
    file('2026/01/c', 40, 5)
    const { done, totals } = seen()
    expect(done).toBe(true)
    expect(totals).toMatchObject({ files: 3, bytes: 70, oldestAt: now - 90 * minute, newestAt: now - 5 * minute })
    expect(totals.window).toEqual({ files: 2, bytes: 60 })
    expect(totals.lately).toEqual({ files: 1, bytes: 40 })
    expect(totals.largest.map(({ path }) => path)).toEqual(['2026/01/c', '2026/b', 'a'])
    expect(totals.oldest.map(({ path }) => path)).toEqual(['a', '2026/b', '2026/01/c'])
  })

  it('counts files since the first error, and those of the same time before it', () => {
    for (const ago of [100, 61, 59, 45, 31, 30, 20, 10, 1]) file(`f${ago}`, 1, ago)
    const { totals } = seen({ marks: { ...marks, errorAt: now - 30 * minute } })
    expect(totals.after.files).toBe(4)
    expect(totals.before.files).toBe(3)
    expect(totals.hourBefore.files).toBe(4)
    expect(totals.first.map(({ path }) => path)).toEqual(['f30', 'f20', 'f10', 'f1'])
  })

  it('looks at what the pattern matches, and follows no link', () => {
    file('a.jsonl', 10, 1)
    file('b.txt', 10, 1)
    file('elsewhere/c.jsonl', 10, 1)
    mkdirSync(join(folder, 'root'))
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'root/folder'))
    symlinkSync(join(folder, 'a.jsonl'), join(folder, 'root/file.jsonl'))
    expect(seen({ match: '**/*.jsonl' }).totals.files).toBe(2)
    expect(seen({ path: join(folder, 'root') }).totals.files).toBe(0)
  })

  it('puts files of one instant in the order of their names', () => {
    for (const name of ['c', 'a', 'd', 'b']) file(name, 1, 5)
    expect(seen().totals.oldest.map(({ path }) => path)).toEqual(['a', 'b', 'c', 'd'])
  })

  it('goes on where it was, and begins anew when told to', () => {
    for (let n = 0; n < 600; n++) file(`d${n % 7}/f${n}`, 1, 1)
    let slices = 1
    let answer = seen({ sliceMs: 0.01 })
    while (!answer.done) {
      answer = seen({ sliceMs: 0.01, anew: false })
      slices++
    }
    expect(slices).toBeGreaterThan(3)
    expect(answer.totals.files).toBe(600)
  })

  it('fails where there is nothing', () => {
    expect(() => seen({ path: join(folder, 'missing') })).toThrow('ENOENT')
  })
})

describe('the few of many', () => {
  it('are the least ones, in order', () => {
    for (let round = 0; round < 20; round++) {
      const all = Array.from({ length: randomInt(0, 200) }, () => randomInt(0, 1000))
      const few = new Few<number>(10, (item) => item)
      for (const each of all) few.offer(each)
      expect(few.sorted()).toEqual([...all].sort((a, b) => a - b).slice(0, 10))
    }
  })
})

describe('A28: a removal', () => {
  const candidates = () => seen().totals.oldest
  const removed = (files = candidates()) => remove({ path: folder, files, now })

  it('deletes what was seen', () => {
    file('a/b/c', 10, 1)
    file('d', 10, 1)
    expect(removed()).toMatchObject({ open: 0, changed: 0 })
    expect(existsSync(join(folder, 'a/b/c')) || existsSync(join(folder, 'd'))).toBe(false)
  })

  it('leaves what somebody has open for writing, and takes what is only read', () => {
    file('written', 10, 1)
    file('read', 10, 1)
    const [writer, reader] = [openSync(join(folder, 'written'), 'a'), openSync(join(folder, 'read'), 'r')]
    expect(removed()).toMatchObject({ open: 1, removed: [{ path: 'read' }] })
    expect(existsSync(join(folder, 'written'))).toBe(true)
    closeSync(writer)
    closeSync(reader)
  })

  it('leaves what was written, replaced or linked away since the look', () => {
    file('written', 10, 5)
    file('replaced', 10, 5)
    file('linked', 10, 5)
    file('outside/secret', 10, 5)
    const before = candidates().filter(({ path }) => path !== 'outside/secret')
    writeFileSync(join(folder, 'written'), 'more')
    renameSync(join(folder, 'replaced'), join(folder, 'moved'))
    file('replaced', 10, 5)
    rmSync(join(folder, 'linked'))
    symlinkSync(join(folder, 'outside/secret'), join(folder, 'linked'))
    expect(removed(before)).toEqual({ removed: [], open: 0, changed: 3 })
    expect(readdirSync(folder).sort()).toEqual(['linked', 'moved', 'outside', 'replaced', 'written'])
  })

  it('goes through no folder that was exchanged for a link between look and delete', () => {
    file('sub/x', 10, 5)
    const before = candidates()
    const outside = mkdtempSync(join(tmpdir(), 'spillway-outside-'))
    // The same file under another name: even its inode and time are right.
    linkSync(join(folder, 'sub/x'), join(outside, 'x'))
    renameSync(join(folder, 'sub'), join(folder, 'aside'))
    symlinkSync(outside, join(folder, 'sub'))
    expect(removed(before)).toMatchObject({ removed: [], changed: 1 })
    expect(existsSync(join(outside, 'x'))).toBe(true)
    rmSync(outside, { recursive: true })
  })

  it('refuses a directory that is itself a link', () => {
    file('real/x', 10, 5)
    symlinkSync(join(folder, 'real'), join(folder, 'link'))
    const files = walk({ key: 'l', path: join(folder, 'link'), match: '**', marks, sliceMs: 9_000, anew: true }).totals
      .oldest
    expect(files).toHaveLength(1)
    expect(() => remove({ path: join(folder, 'link'), files, now })).toThrow(/ELOOP|ENOTDIR/)
    expect(existsSync(join(folder, 'real/x'))).toBe(true)
  })

  it('takes no path that leads upwards', () => {
    file('in/x', 10, 5)
    file('out', 10, 5)
    const inode = statSync(join(folder, 'out')).ino
    const files = [{ path: '../out', bytes: 10, at: statSync(join(folder, 'out')).mtimeMs, inode }]
    expect(remove({ path: join(folder, 'in'), files, now }).removed).toEqual([])
    expect(existsSync(join(folder, 'out'))).toBe(true)
  })
})

describe('a probe', () => {
  it('reads folders and files, and says what is wrong', () => {
    file('a', 10, 1)
    expect(probe(folder)).toBe(true)
    expect(probe(join(folder, 'a'))).toBe(true)
    expect(() => probe(join(folder, 'missing'))).toThrow('ENOENT')
    expect(() => probe(join(folder, 'a/b'))).toThrow('ENOTDIR')
  })
})

describe('a sentinel file', () => {
  it('is made once, with its folder, and removed once', () => {
    const path = join(folder, 'guard/crawler.enabled')
    expect([createFile(path), createFile(path), removeFile(path), removeFile(path)]).toEqual([true, false, true, false])
  })
})

describe('the mounts', () => {
  it('are read from mountinfo, with escapes and optional fields', () => {
    const text = [
      '36 35 98:0 / /srv/my\\040jobs rw,noatime shared:1 master:2 - fuse.sshfs host:/jobs rw',
      '37 35 98:0 / /srv/b rw - tmpfs tmpfs rw',
      'nonsense',
      '',
    ].join('\n')
    expect(parseMounts(text)).toEqual([
      { mountpoint: '/srv/my jobs', type: 'fuse.sshfs', source: 'host:/jobs' },
      { mountpoint: '/srv/b', type: 'tmpfs', source: 'tmpfs' },
    ])
  })
})

describe('a command', () => {
  const script = (text: string, deadlineMs = 20_000) => answered({ words: [process.execPath, '-e', text], deadlineMs })

  it('gives its exit code, what it printed, and the end of its complaints', async () => {
    expect(await script('console.log(214)')).toEqual({ code: 0, output: '214\n', said: null })
    expect(await script('console.error("no"); process.exit(3)')).toEqual({ code: 3, output: '', said: 'no' })
  })

  it('is ended with all that it started at its deadline', async () => {
    const mark = join(folder, 'mark')
    const child = `setInterval(() => require('fs').appendFileSync(${JSON.stringify(mark)}, 'x'), 20)`
    const text = `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(child)}]); setInterval(() => {}, 1e3)`
    expect(await script(text, 1_500)).toMatchObject({ code: null, said: 'no end within 1500 ms' })
    const size = () => (existsSync(mark) ? statSync(mark).size : 0)
    const ended = size()
    // Another command takes longer than its child would need to write again.
    await script('setTimeout(() => {}, 300)')
    expect(size()).toBe(ended)
  })

  it('is read to 64 KiB only, and runs on', async () => {
    const { code, output } = await script('process.stdout.write("x".repeat(1e6))')
    expect([code, output.length]).toEqual([0, 65_536])
  })

  it('runs without a shell', async () => {
    const { output } = await answered({ words: ['echo', '$HOME; ls'], deadlineMs: 10_000 })
    expect(output).toBe('$HOME; ls\n')
  })

  it('that is not there has no code', async () => {
    expect(await answered({ words: ['/no/such'], deadlineMs: 1_000 })).toMatchObject({ code: null })
  })
})
