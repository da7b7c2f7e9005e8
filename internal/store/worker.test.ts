import { mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../clock/clock.ts'
import type { WorkerOptions } from './message.ts'
import { openSqliteStore } from './store.ts'
import { Thread } from './thread.ts'

const key = { keyId: '0123456789abcdef', auditKey: new Uint8Array(32).fill(1) }
const deadlineMs = 15_000
let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-worker-'))
  file = join(folder, 'spillway.db')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A worker as the parent starts it in place of one that was lost. */
function replacement(): Thread {
  const data = (): WorkerOptions => ({ file, key, busyMs: 1_000, program: '0.1.0', resumes: false, again: true })
  const script = new URL('../../dist/internal/store/worker.js', import.meta.url)
  return new Thread({ script, data, timers: systemClock(), deadlineMs })
}

test('a database that has gone is not replaced by an empty one, and is used again when it is back', async () => {
  const store = await openSqliteStore({ file, key, clock: systemClock(), deadlineMs })
  await store.commit({ writes: [{ put: 'meta', name: 'n', value: '1' }], audit: [] })
  await store.close()
  renameSync(file, `${file}.elsewhere`)

  const worker = replacement()
  for (let i = 0; i < 2; i++) {
    await expect(worker.call('load', null)).rejects.toMatchObject({ code: 'unavailable', mayRetry: true })
  }
  expect(readdirSync(folder)).toEqual(['spillway.db.elsewhere'])

  renameSync(`${file}.elsewhere`, file)
  expect((await worker.call('load', null)).meta).toEqual({ n: '1' })
  await worker.close()
})
