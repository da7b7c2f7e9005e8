/** Upstreams are nearly always reached over TLS: the program against one whose certificate it has been told to trust. */
import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Program } from '../../fakes/rig/program.ts'
import { selfSigned } from '../../fakes/upstream/certificate.ts'

let program: Program
let upstream: Server
let client: OpenAI
/** Of each request to the upstream: its key, the length of its body, and whether its TLS session was resumed. */
let seen: { key: string; bytes: number; resumed: boolean; connection: number }[]
let connections: number

beforeEach(async () => {
  seen = []
  connections = 0
  const numbers = new WeakMap<object, number>()
  upstream = createServer(selfSigned)
  // As long as a busy machine may need between two requests.
  upstream.keepAliveTimeout = 60_000
  upstream.on('secureConnection', (socket) => numbers.set(socket, ++connections))
  upstream.on('request', async (request, response) => {
    let bytes = 0
    for await (const chunk of request) bytes += (chunk as Buffer).length
    const key = request.headers.authorization?.replace('Bearer ', '') ?? ''
    const { socket } = request as unknown as { socket: { isSessionReused(): boolean } }
    seen.push({ key, bytes, resumed: socket.isSessionReused(), connection: numbers.get(socket) ?? 0 })
    if (key === 'sk-limited')
      response.writeHead(429, { 'retry-after': '60' }).end('{"error":{"code":"rate_limit_exceeded"}}')
    else if (request.url?.includes('close')) response.writeHead(200, { connection: 'close' }).end('{"data":[]}')
    else
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(`{"choices":[],"echo":"${'y'.repeat(bytes)}"}`)
  })
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  const { port } = upstream.address() as AddressInfo
  program = new Program()
  await program.run(['init'])
  const manifest = {
    credentials: {
      a: { provider: 'openai', source: { env: 'KEYS#1' } },
      b: { provider: 'openai', source: { env: 'KEYS#2' } },
    },
    pools: { openai: { provider: 'openai', members: ['a', 'b'], upstream: `https://127.0.0.1:${port}` } },
  }
  expect((await program.run(['apply', '-'], { input: JSON.stringify(manifest) })).code).toBe(0)
  const { key } = JSON.parse((await program.run(['key', 'create', 'test', '--json'])).stdout) as { key: string }
  const trusted = program.beside('ca.pem')
  writeFileSync(trusted, selfSigned.cert)
  const { origin } = await program.serve({ NODE_EXTRA_CA_CERTS: trusted, KEYS: 'sk-limited,sk-well' })
  client = new OpenAI({ apiKey: key, baseURL: `${origin}/openai/v1`, maxRetries: 0 })
})

afterEach(() => {
  program.close()
  upstream.closeAllConnections()
  upstream.close()
})

const ask = (length: number) =>
  client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'x'.repeat(length) }] })

describe('over TLS', () => {
  it('a limit is replayed, whatever the length of the bodies, on connections that are kept', async () => {
    for (const length of [1_000, 100_000, 3_000_000, 10]) {
      const answer = (await ask(length)) as unknown as { echo: string }
      expect(answer.echo.length).toBe(seen.at(-1)?.bytes)
    }
    expect(seen.map(({ key }) => key)).toEqual(['sk-limited', 'sk-well', 'sk-well', 'sk-well', 'sk-well'])
    expect(connections).toBe(1)
  })

  it('a new connection resumes the session of the one before', async () => {
    await ask(10)
    await client.get('/close')
    await ask(10)
    expect(connections).toBe(2)
    expect(seen.at(-1)).toMatchObject({ connection: 2, resumed: true })
  })
})
