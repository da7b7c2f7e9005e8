/** A1 and A3: request targets that try to leave the pool or the host. */
import { createServer, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Rig, startRig } from '../fakes/rig/rig.ts'

let rig: Rig
let evil: Server
let evilPort: number
let evilConnections = 0

beforeAll(async () => {
  rig = await startRig()
  evil = createServer((socket) => {
    evilConnections++
    socket.destroy()
  })
  await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve))
  evilPort = (evil.address() as { port: number }).port
})

afterAll(async () => {
  evil.close()
  await rig.close()
})

async function statusOf(line: string): Promise<number> {
  const request = line.replaceAll('EVIL', `127.0.0.1:${evilPort}`)
  const text = await rig.raw(
    `${request}\r\nHost: 127.0.0.1:${rig.port}\r\nAuthorization: Bearer ${rig.key}\r\nConnection: close\r\n\r\n`,
  )
  return Number(text.split(' ')[1])
}

describe('A1: targets that name another host', () => {
  it.each([
    'GET http://EVIL/pool/v1/models HTTP/1.1',
    'GET HTTP://EVIL/pool/v1/models HTTP/1.1',
    'GET https://EVIL/pool/v1/models HTTP/1.1',
    'GET ftp://EVIL/ HTTP/1.1',
    'GET //EVIL/pool/v1/models HTTP/1.1',
    'GET ///EVIL/pool/v1/models HTTP/1.1',
    'GET /\\EVIL/pool/v1/models HTTP/1.1',
    'GET \\\\EVIL/pool HTTP/1.1',
    'GET /%5CEVIL/pool HTTP/1.1',
    'GET @EVIL/pool HTTP/1.1',
    'OPTIONS * HTTP/1.1',
  ])('%s', async (line) => {
    expect(await statusOf(line)).toBe(400)
  })

  it('opened no connection to any other host, and none upstream', () => {
    expect(evilConnections).toBe(0)
    expect(rig.upstream.requests).toHaveLength(0)
  })

  it('a host inside the path stays a path', async () => {
    expect(await statusOf('GET /pool/http://EVIL/v1/models HTTP/1.1')).toBe(200)
    expect(await statusOf('GET /pool/@EVIL/v1/models HTTP/1.1')).toBe(200)
    expect(rig.upstream.requests.map(({ target }) => target)).toEqual([
      `/http://127.0.0.1:${evilPort}/v1/models`,
      `/@127.0.0.1:${evilPort}/v1/models`,
    ])
    expect(evilConnections).toBe(0)
  })
})

describe('A3: targets that leave the pool', () => {
  it.each([
    ['/pool/../admin', 400],
    ['/pool/v1/../../admin', 400],
    ['/pool/%2e%2e/admin', 400],
    ['/pool/%2E%2E/admin', 400],
    ['/pool/.%2e/admin', 400],
    ['/pool/%2e./admin', 400],
    ['/pool/%2e/admin', 400],
    ['/pool/..%2fadmin', 400],
    ['/pool/%2e%2e%2fadmin', 400],
    ['/pool/..\\admin', 400],
    ['/pool/..%5cadmin', 400],
    ['/pool/..;/admin', 400],
    ['/pool/..;a=b/admin', 400],
    ['/pool/x/..', 400],
    ['/%2e%2e/pool', 400],
    ['/%70ool/v1/models', 404],
    ['/pool%2fv1/models', 404],
    ['/POOL/v1/models', 404],
    ['/v1/status', 404],
    ['/v1/pools', 404],
    ['/metrics', 404],
    ['/admin.sock', 404],
    ["/pool' OR 1=1--/v1/models", 400],
    ['/pool%27%20OR%201=1--/v1/models', 404],
    ['/__proto__/v1/models', 404],
    ['/constructor/v1/models', 404],
  ])('%s gets %i', async (target, status) => {
    rig.upstream.forget()
    expect(await statusOf(`GET ${target} HTTP/1.1`)).toBe(status)
    expect(rig.upstream.requests).toHaveLength(0)
  })

  it.each(['TRACE', 'CONNECT'])('%s gets 405', async (method) => {
    expect(await statusOf(`${method} ${method === 'CONNECT' ? 'EVIL' : '/pool/v1'} HTTP/1.1`)).toBe(405)
    expect(evilConnections).toBe(0)
  })

  it('an encoded slash inside a segment passes unchanged', async () => {
    rig.upstream.forget()
    expect(await statusOf('GET /pool/v1/openai%2Fgpt%2f4 HTTP/1.1')).toBe(200)
    expect(rig.upstream.requests[0]?.target).toBe('/v1/openai%2Fgpt%2f4')
  })
})
