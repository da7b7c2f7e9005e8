import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { collectGarbage } from '../../test/fakes/upstream/garbage.ts'
import { Refusal } from '../pool/pool.ts'
import { acquireLock, type LockAttempt, StoreError, tryLock } from './store.ts'

const startedAt = Date.UTC(2026, 0, 5, 14)
const who = { startedAt, version: '0.1.0', socket: '/data/admin.sock' }
const face = new URL('../../dist/internal/store/store.js', import.meta.url).href

let folder: string
let children: ChildProcess[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-lock-'))
  children = []
})
afterEach(async () => {
  for (const child of children) await end(child)
  rmSync(folder, { recursive: true, force: true })
})

function lockOf(attempt: LockAttempt) {
  if (!attempt.ok) throw attempt.refusal
  return attempt.lock
}

/** A process that tries once to take the lock, says whether it has it, and holds it until its end. */
async function contender(): Promise<{ child: ChildProcess; won: boolean }> {
  const program = `
    const { acquireLock } = await import(${JSON.stringify(face)})
    const attempt = acquireLock(${JSON.stringify(folder)}, ${JSON.stringify(who)})
    console.log(attempt.ok)
    setInterval(() => {}, 1_000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  const [said] = await once(child.stdout!, 'data')
  return { child, won: String(said).trim() === 'true' }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

describe('the lock of a data directory', () => {
  test('is refused to a second one, naming who has it and since when', () => {
    lockOf(acquireLock(folder, who))
    const second = acquireLock(folder, { startedAt: startedAt + 1, version: '0.2.0', socket: null })
    expect(second).toMatchObject({ ok: false, holder: { pid: process.pid, ...who } })
    if (second.ok) return
    expect(second.refusal).toBeInstanceOf(Refusal)
    expect(second.refusal.code).toBe('conflict')
    expect(second.refusal.message).toBe(
      `${folder} is in use by process ${process.pid} (spillway 0.1.0) since 2026-01-05T14:00:00.000Z`,
    )
  })

  test('is free again after its release, for as many times as one likes', () => {
    for (let i = 0; i < 3; i++) lockOf(acquireLock(folder, { ...who, version: `0.${i}.0` })).release()
    const lock = lockOf(acquireLock(folder, { ...who, version: '0.9.0' }))
    expect(acquireLock(folder, who)).toMatchObject({ ok: false, holder: { version: '0.9.0' } })
    lock.release()
  })

  test('says nothing to other users', () => {
    lockOf(acquireLock(folder, who)).release()
    expect(statSync(join(folder, 'lock.db')).mode & 0o077).toBe(0)
  })

  test('outlives the garbage collection of what was not kept', () => {
    lockOf(acquireLock(folder, who))
    collectGarbage()
    expect(acquireLock(folder, who).ok).toBe(false)
  })

  test('cannot be had where there is no directory', () => {
    expect(() => acquireLock(join(folder, 'none'), who)).toThrow(StoreError)
  })
})

describe('the lock among processes', () => {
  test('is held through a SIGSTOP and free at once after a SIGKILL', async () => {
    const { child, won } = await contender()
    expect(won).toBe(true)
    child.kill('SIGSTOP')
    expect(acquireLock(folder, who)).toMatchObject({ ok: false, holder: { pid: child.pid } })
    await end(child)
    lockOf(acquireLock(folder, who)).release()
  })

  test('is given to exactly one of many that come at once', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, contender))
    const winners = all.filter(({ won }) => won)
    expect(winners).toHaveLength(1)
    expect(acquireLock(folder, who)).toMatchObject({ ok: false, holder: { pid: winners[0]?.child.pid } })
  })
})

describe('the lock of a file', () => {
  test('is had by one at a time, each file for itself', () => {
    const a = tryLock(join(folder, 'a.lock'))
    expect(a).not.toBeNull()
    expect(tryLock(join(folder, 'a.lock'))).toBeNull()
    const b = tryLock(join(folder, 'b.lock'))
    expect(b).not.toBeNull()
    a?.release()
    const again = tryLock(join(folder, 'a.lock'))
    expect(again).not.toBeNull()
    again?.release()
    b?.release()
  })
})
