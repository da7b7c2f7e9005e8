/** A24: an error of a socket that nobody listens for ends a process. No socket of the program is ever without a listener. */
import { writeFileSync } from 'node:fs'
import { createServer as createHttpServer, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { Program, type Served } from '../fakes/rig/program.ts'
import { standstill } from '../fakes/standstill.ts'
import { selfSigned } from '../fakes/upstream/certificate.ts'

const watcher = fileURLToPath(new URL('../fakes/unguarded.mjs', import.meta.url))

let program: Program
let upstream: Server
let served: Served
let said = ''

afterEach(() => {
  program.close()
  upstream.closeAllConnections()
  upstream.close()
})

/** An upstream that accepts WebSockets, and answers by what its path says. */
async function startUpstream(isSecure: boolean): Promise<string> {
  upstream = (isSecure ? createHttpsServer(selfSigned) : createHttpServer()) as Server
  upstream.on('request', (request, response) => {
    request.resume().on('error', () => {})
    if (request.url?.includes('reset')) request.socket.destroy()
    else if (request.url?.includes('part')) {
      response.write('part')
      setImmediate(() => request.socket.destroy())
    } else if (request.url?.includes('early')) response.writeHead(400, { connection: 'close' }).end('{}')
    else if (!request.url?.includes('silence')) request.on('end', () => response.end('{}'))
  })
  const sockets = new WebSocketServer({ noServer: true })
  upstream.on('upgrade', (request, socket, head) => {
    socket.on('error', () => {})
    if (request.url?.includes('reset')) socket.destroy()
    else if (request.url?.includes('refuse')) socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\n{}')
    else sockets.handleUpgrade(request, socket, head, (open) => open.on('error', () => {}).send('{"type":"hello"}'))
  })
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  return `${isSecure ? 'https' : 'http'}://127.0.0.1:${(upstream.address() as AddressInfo).port}`
}

async function start(isSecure: boolean): Promise<string> {
  const url = await startUpstream(isSecure)
  program = new Program()
  const files = { cert: program.beside('cert.pem'), key: program.beside('key.pem') }
  writeFileSync(files.cert, selfSigned.cert)
  writeFileSync(files.key, selfSigned.key, { mode: 0o600 })
  const tls = { SPILLWAY_SERVER_TLS_CERT_FILE: files.cert, SPILLWAY_SERVER_TLS_KEY_FILE: files.key }
  const env = { NODE_OPTIONS: `--import=${watcher}`, NODE_EXTRA_CA_CERTS: files.cert, ...(isSecure ? tls : {}) }
  served = await program.serve(env)
  said = ''
  served.process.stderr?.on('data', (bytes: Buffer) => {
    said += bytes
  })
  const { key } = await program.ops.keyCreate({ name: 'client' })
  await program.ops.credAdd({ name: 'a', provider: 'openai', source: { kind: 'vault', secret: 'sk-a' } })
  await program.ops.credAdd({ name: 'b', provider: 'openai', source: { kind: 'vault', secret: 'sk-b' } })
  await program.ops.poolCreate({ name: 'openai', provider: 'openai', members: ['a'], upstream: url })
  await program.ops.poolCreate({ name: 'dead', provider: 'openai', members: ['b'], upstream: 'http://127.0.0.1:1' })
  return key
}

function requests(key: string): string[] {
  const lines = (...all: readonly string[]) => `${all.join('\r\n')}\r\n\r\n`
  const own = ['Host: a', `Authorization: Bearer ${key}`]
  const webSocket = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13']
  const upgrade = (path: string) =>
    lines(`GET ${path} HTTP/1.1`, ...own, ...webSocket, 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==')
  const get = (path: string) => lines(`GET ${path} HTTP/1.1`, ...own)
  const post = (path: string, ...more: readonly string[]) => lines(`POST ${path} HTTP/1.1`, ...own, ...more)
  const long = 'x'.repeat(200_000)
  return [
    get('/openai/v1/files'),
    get('/openai/v1/silence'),
    get('/openai/v1/reset'),
    get('/openai/v1/part'),
    get('/dead/v1/files'),
    `${get('/openai/v1/files')}${get('/healthz')}${get('/nobody')}`,
    `${post('/openai/v1/x', 'Content-Length: 200000')}${long}`,
    `${post('/openai/v1/early', 'Content-Length: 400000')}${long}`,
    `${post('/openai/v1/x', 'Content-Length: 400000')}${long}`,
    `${post('/openai/v1/x', 'Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\n\r\n`,
    `${post('/openai/v1/x', 'Content-Length: 5', 'Expect: 100-continue')}hello`,
    `${post('/openai/v1/x', 'Content-Length: 5', 'Connection: Upgrade', 'Upgrade: h2c')}hello`,
    lines('CONNECT a:1 HTTP/1.1', 'Host: a:1'),
    lines('GET /healthz HTTP/1.1'),
    'NONSENSE\r\n\r\n',
    upgrade('/openai/v1/realtime'),
    upgrade('/openai/v1/realtime?refuse'),
    upgrade('/openai/v1/realtime?reset'),
    upgrade('/dead/v1/realtime'),
    `${get('/openai/v1/files')}${upgrade('/openai/v1/realtime')}`,
    `${get('/healthz')}${upgrade('/nobody')}`,
    lines('GET /openai/v1/realtime HTTP/1.1', 'Host: a', ...webSocket),
  ]
}

const ends: readonly ((socket: Socket) => void)[] = [
  (socket) => socket.end(),
  (socket) => socket.destroy(),
  (socket) => socket.resetAndDestroy(),
]

describe.each([
  ['in the clear', false],
  ['over TLS', true],
] as const)('every socket %s', (_, isSecure) => {
  it('has a listener for errors at each moment at which anything happens to it', async () => {
    const key = await start(isSecure)
    const port = Number(new URL(served.origin).port)
    const underway: Promise<void>[] = []
    for (const [at, bytes] of requests(key).entries()) {
      for (const [turn, when] of (['connected', 'sent', 'answered'] as const).entries()) {
        const end = ends[(at + turn) % ends.length] as (socket: Socket) => void
        const raw = connect(port, '127.0.0.1').on('error', () => {})
        const socket = isSecure ? connectTls({ socket: raw, rejectUnauthorized: false }).on('error', () => {}) : raw
        socket.on('data', () => when === 'answered' && end(raw))
        if (when === 'connected') raw.once('connect', () => end(raw))
        else socket.write(bytes, 'latin1', () => when === 'sent' && end(raw))
        const late = setTimeout(() => raw.resetAndDestroy(), 1_000)
        underway.push(new Promise((resolve) => raw.once('close', () => resolve(clearTimeout(late)))))
      }
    }
    await Promise.all(underway)
    if (isSecure)
      connect(port, '127.0.0.1')
        .on('error', () => {})
        .end('GET / HTTP/1.1\r\n\r\n')
    await standstill(() => said.length)
    expect(said.split('\n').filter((line) => line.startsWith('unguarded'))).toEqual([])
    expect(served.process.exitCode).toBeNull()
    served.process.kill('SIGTERM')
    const { code, stderr } = await served.ended
    expect([code, stderr.includes('unguarded')]).toEqual([0, false])
  })
})
