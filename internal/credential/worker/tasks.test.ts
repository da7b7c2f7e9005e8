import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../clock/clock.ts'
import { type FileCalls, fileCalls } from './tasks.ts'

let folder = ''
let files: FileCalls
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-calls-'))
  files = fileCalls(systemClock())
})
afterEach(async () => {
  await files.stop()
  rmSync(folder, { recursive: true })
})

test('a call is done in a worker, and its failure carries the code of the system', async () => {
  writeFileSync(join(folder, 'key'), 'sk-1')
  expect(await files.ask('read', { path: join(folder, 'key') }, { deadlineMs: 5_000 })).toMatchObject({ text: 'sk-1' })
  await expect(files.ask('read', { path: join(folder, 'none') }, { deadlineMs: 5_000 })).rejects.toMatchObject({
    code: 'ENOENT',
  })
})

test('a call that hangs is given up at its deadline, and the next one is served by another worker', async () => {
  writeFileSync(join(folder, 'key'), 'sk-1')
  const hanging = files.ask('run', { words: ['sleep', '9'], timeoutMs: 9_000 }, { deadlineMs: 300 })
  const next = files.ask('read', { path: join(folder, 'key') }, { deadlineMs: 5_000 })
  await expect(hanging).rejects.toMatchObject({ code: 'EHUNG' })
  expect(await next).toMatchObject({ text: 'sk-1' })
  expect(await files.stop()).toBe(false)
})

test('what waits behind a stop fails', async () => {
  await files.stop()
  await expect(
    files.ask('stamps', { paths: [folder], progress: new Int32Array(1) }, { deadlineMs: 1_000 }),
  ).rejects.toMatchObject({
    code: 'ESTOPPED',
  })
})

test('a command is ended at its time, with its failure and no output', async () => {
  const asked = files.ask('run', { words: ['sh', '-c', 'echo sk-1; exit 3'], timeoutMs: 5_000 }, { deadlineMs: 5_000 })
  await expect(asked).rejects.toThrow(/^sh ended with exit code 3$/)
  await expect(
    files.ask('run', { words: ['sleep', '5'], timeoutMs: 100 }, { deadlineMs: 5_000 }),
  ).rejects.toMatchObject({
    code: 'ETIMEDOUT',
  })
  await expect(files.ask('run', { words: ['/no/such'], timeoutMs: 100 }, { deadlineMs: 5_000 })).rejects.toMatchObject({
    code: 'ENOENT',
  })
  expect(spawnSync('true').status).toBe(0)
})
