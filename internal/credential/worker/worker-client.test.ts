import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../clock/clock.ts'
import { Desk } from './worker-client.ts'

let folder = ''
let desk: Desk
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-desk-'))
  desk = new Desk(systemClock(), 'worker')
})
afterEach(async () => {
  await desk.stop()
  rmSync(folder, { recursive: true })
})

test('an errand is done in a worker, and its failure carries the code of the system', async () => {
  writeFileSync(join(folder, 'key'), 'sk-1')
  expect(await desk.ask('read', { path: join(folder, 'key') }, 5_000)).toMatchObject({ text: 'sk-1' })
  await expect(desk.ask('read', { path: join(folder, 'none') }, 5_000)).rejects.toMatchObject({ code: 'ENOENT' })
})

test('an errand that hangs is given up at its deadline, and the next one is served by another worker', async () => {
  writeFileSync(join(folder, 'key'), 'sk-1')
  const hanging = desk.ask('run', { words: ['sleep', '9'], timeoutMs: 9_000 }, 300)
  const next = desk.ask('read', { path: join(folder, 'key') }, 5_000)
  await expect(hanging).rejects.toMatchObject({ code: 'EHUNG' })
  expect(await next).toMatchObject({ text: 'sk-1' })
  expect(await desk.stop()).toBe(false)
})

test('what waits at a stopped desk fails', async () => {
  await desk.stop()
  await expect(desk.ask('stamps', { paths: [folder] }, 1_000)).rejects.toMatchObject({ code: 'ESTOPPED' })
})

test('a command is ended at its time, with its failure and no output', async () => {
  const asked = desk.ask('run', { words: ['sh', '-c', 'echo sk-1; exit 3'], timeoutMs: 5_000 }, 5_000)
  await expect(asked).rejects.toThrow(/^sh ended with exit code 3$/)
  await expect(desk.ask('run', { words: ['sleep', '5'], timeoutMs: 100 }, 5_000)).rejects.toMatchObject({
    code: 'ETIMEDOUT',
  })
  await expect(desk.ask('run', { words: ['/no/such'], timeoutMs: 100 }, 5_000)).rejects.toMatchObject({
    code: 'ENOENT',
  })
  expect(spawnSync('true').status).toBe(0)
})
