import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startBench } from '../../../test/fakes/rig/operations.ts'
import { loadConfig } from '../../config/config.ts'
import type { DoctorRow } from '../ops.ts'

let server: Server
let url: string

beforeAll(async () => {
  server = createServer((_request, response) => response.end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
})
afterAll(() => server.close())

/** What the doctor says of notices with this environment, and with what Telegram answers for a chat. */
async function rows(env: Record<string, string>, problem?: string | null): Promise<DoctorRow[]> {
  const loaded = loadConfig({ file: '/none.yaml', explicit: false, env, dataDir: tmpdir() })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  const check = async () => (problem === undefined ? [] : [{ channel: 'telegram:42', problem }])
  const notices = { test: async () => [], check }
  const bench = await startBench({ parts: { notices, config: () => loaded.config } })
  const found = await bench.ops.doctor({})
  await bench.stop()
  return found.filter((row) => row.check.startsWith('notices'))
}

test('nobody who is told is nothing to look at', async () => {
  expect(await rows({})).toEqual([])
})

test.each<[string, string | null, Partial<DoctorRow>]>([
  ['is well', null, { state: 'ok', hint: null }],
  [
    'has a wrong token',
    'Telegram answered 401: Unauthorized',
    { state: 'fail', hint: expect.stringContaining('token is wrong') },
  ],
  [
    'does not know the bot',
    'Telegram answered 400: Bad Request: chat not found',
    { state: 'fail', hint: expect.stringContaining('write to the bot') },
  ],
  ['cannot be reached', 'Telegram cannot be reached', { state: 'fail', hint: expect.stringContaining('HTTPS_PROXY') }],
])('a chat that %s', async (_name, problem, row) => {
  expect(await rows({}, problem)).toMatchObject([{ check: 'notices telegram:42', ...row }])
})

test('a bot without a chat', async () => {
  expect(await rows({ SPILLWAY_NOTICES_TELEGRAM_BOT_TOKEN_ENV: 'BOT' })).toMatchObject([
    { check: 'notices telegram', state: 'warn', hint: expect.stringContaining('chatIds') },
  ])
})

test('a webhook whose posts are signed, or not', async () => {
  const hook = { SPILLWAY_NOTICES_WEBHOOK_URL: url }
  expect(await rows({ ...hook, SPILLWAY_NOTICES_WEBHOOK_SECRET_ENV: 'S' })).toMatchObject([
    { check: 'notices webhook', state: 'ok', message: expect.stringMatching(/^reached in \d+ ms$/) },
  ])
  expect(await rows(hook)).toMatchObject([{ state: 'warn', message: expect.stringContaining('not signed') }])
})

test('a webhook where nobody listens', async () => {
  expect(await rows({ SPILLWAY_NOTICES_WEBHOOK_URL: 'http://127.0.0.1:9/' })).toMatchObject([
    { state: 'fail', message: 'the connection was refused', hint: 'check notices.webhook.url' },
  ])
})
