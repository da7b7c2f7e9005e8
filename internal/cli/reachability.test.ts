import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { askThrough } from './reachability.ts'

let server: Server
let seen: { url: string | undefined; authorization: string | undefined; google: unknown }[]

afterEach(() => server.close())

async function asked(shape: string, status: number, attempts: string) {
  seen = []
  server = createServer(({ url, headers }, response) => {
    seen.push({ url, authorization: headers.authorization, google: headers['x-goog-api-key'] })
    response.writeHead(status, { 'x-spillway-attempts': attempts }).end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return askThrough({ baseUrl: `http://127.0.0.1:${port}/p`, shape, key: 'K', pool: 'p' })
}

describe('one request through a pool', () => {
  test.each([
    ['that is answered', 200, '1', true, 'a request through p was answered (200)'],
    ['for what the upstream does not have', 404, '1', true, 'a request through p reached the upstream (404)'],
    ['of an exhausted pool', 429, '0', true, 'p is reached, but it is exhausted: spillway pool status p'],
    [
      'that is exhausted for a client that heeds 402',
      402,
      '0',
      true,
      'p is reached, but it is exhausted: spillway pool status p',
    ],
    ['with a key that is not known', 401, '0', false, 'a request through p was refused (401): spillway pool status p'],
    ['to an upstream that fails', 500, '2', false, 'a request through p was refused (500): spillway pool status p'],
  ])('%s', async (_name, status, attempts, ok, message) => {
    expect(await asked('openai', status, attempts)).toEqual({ ok, status, message })
  })

  test.each([
    ['openai', { url: '/p/models', authorization: 'Bearer K', google: undefined }],
    ['anthropic', { url: '/p/v1/models', authorization: 'Bearer K', google: undefined }],
    ['gemini', { url: '/p/v1beta/models', authorization: undefined, google: 'K' }],
  ])('asks %s for its models, with the key where its clients put it', async (shape, request) => {
    await asked(shape, 200, '1')
    expect(seen).toEqual([request])
  })

  test('that nobody answers says why', async () => {
    await asked('openai', 200, '1')
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    const found = await askThrough({ baseUrl: `http://127.0.0.1:${port}/p`, shape: 'openai', key: 'K', pool: 'p' })
    expect(found).toEqual({ ok: false, status: null, message: 'a request through p failed: ECONNREFUSED' })
  })
})
