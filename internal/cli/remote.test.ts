import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { answerOf, remoteOps } from './cli.ts'

let folder: string
let socket: string
let server: Server | null

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-remote-'))
  socket = join(folder, 's')
  server = null
})
afterEach(async () => {
  server?.closeAllConnections()
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(null)))
  rmSync(folder, { recursive: true })
})

async function behind(listener: RequestListener): Promise<void> {
  server = createServer(listener)
  await new Promise<void>((resolve) => server?.listen(socket, resolve))
}

const status = () => remoteOps(socket, 'operator:cli').status({})

describe('a daemon that cannot be asked is unreachable', () => {
  test('when nobody listens', async () => {
    await expect(status()).rejects.toMatchObject({ name: 'Unreachable' })
    expect(await answerOf(socket)).toBe('gone')
  })

  test.each<[string, RequestListener]>([
    ['when it hangs up', (request) => request.socket.destroy()],
    [
      'when it hangs up half-way',
      (_request, response) => response.writeHead(200, { 'content-length': 9 }).write('{', () => response.destroy()),
    ],
    ['when it is something else', (_request, response) => response.end('<html>')],
    ['when it fails as something else', (_request, response) => response.writeHead(502).end('bad gateway')],
  ])('%s', async (_name, listener) => {
    await behind(listener)
    await expect(status()).rejects.toMatchObject({ name: 'Unreachable', message: expect.stringContaining(socket) })
  })
})

describe('a problem becomes the refusal that it was', () => {
  test.each([
    ['not-found', 'not-found'],
    ['needs-person', 'needs-person'],
    ['internal', 'failed'],
    ['something-new', 'failed'],
  ])('%s', async (code, expected) => {
    await behind((_request, response) =>
      response
        .writeHead(400, { 'content-type': 'application/problem+json' })
        .end(JSON.stringify({ code, detail: 'why', hint: 'what to do' })),
    )
    await expect(status()).rejects.toMatchObject({
      name: 'Refusal',
      code: expected,
      message: 'why',
      hint: 'what to do',
    })
  })
})

test('a verb is called by its name, with its arguments as JSON and who asks', async () => {
  const seen: unknown[] = []
  await behind((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      seen.push([request.method, request.url, body, request.headers['x-spillway-actor']])
      response.end('{}')
    })
  })
  const ops = await Promise.resolve(remoteOps(socket, 'operator:cli'))
  await ops.poolPark({ name: 'a b/c', member: 'm', forMs: 60_000 })
  await ops.status({})
  expect(seen).toEqual([
    ['POST', '/v1/verbs/poolPark', '{"name":"a b/c","member":"m","forMs":60000}', 'operator:cli'],
    ['POST', '/v1/verbs/status', '{}', 'operator:cli'],
  ])
})
