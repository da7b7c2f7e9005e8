/** The upstream of the benchmarks, over TLS if asked: answers with a kilobyte, with a stream of events or, to a limited key, with 429. */
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { selfSigned } from '../fakes/upstream/certificate.ts'
import { done, event, kilobyte, limited } from './payload.ts'

function events(response: ServerResponse, count: number, gapMs: number): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  let sent = 0
  const next = () => {
    if (response.destroyed) return
    if (sent++ >= count) return void response.end(done)
    response.write(event)
    if (gapMs > 0) setTimeout(next, gapMs)
    else setImmediate(next)
  }
  next()
}

const [port, secure] = process.argv.slice(2)

const listener: RequestListener = (request, response) => {
  const url = new URL(request.url ?? '/', 'http://origin')
  request.on('end', () => {
    if (request.headers.authorization === 'Bearer sk-limited') {
      response.writeHead(429, { 'content-type': 'application/json', 'retry-after': '3600' })
      return response.end(limited)
    }
    const count = Number(url.searchParams.get('events') ?? 0)
    if (count > 0) return events(response, count, Number(url.searchParams.get('gap') ?? 0))
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': kilobyte.length })
    return response.end(kilobyte)
  })
  request.resume()
}

const server = secure === 'tls' ? createSecureServer(selfSigned, listener) : createServer(listener)
server.keepAliveTimeout = 600_000
server.listen(Number(port), '127.0.0.1')
