/** Bare node:http and undici's dispatch: what a careful engineer writes in an afternoon. Buffers the body, streams the answer. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type Dispatcher, Pool } from 'undici'

const [port, origin = ''] = process.argv.slice(2)
const pool = new Pool(origin, { connections: 256, pipelining: 1, connect: { rejectUnauthorized: false } })
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'te',
  'trailer',
  'host',
  'authorization',
])

class Relay implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse
  constructor(response: ServerResponse) {
    this.#response = response
  }
  onRequestStart(): void {}
  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[]>,
  ): void {
    delete headers.connection
    delete headers['keep-alive']
    this.#response.writeHead(status, headers)
    this.#response.on('drain', () => controller.resume())
  }
  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#response.write(chunk)) controller.pause()
  }
  onResponseEnd(): void {
    this.#response.end()
  }
  onResponseError(): void {
    this.#response.destroy()
  }
}

function relay(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const headers: string[] = ['authorization', 'Bearer sk-upstream']
  const raw = request.rawHeaders
  for (let i = 0; i < raw.length; i += 2) {
    if (!hopByHop.has(raw[i]!.toLowerCase())) headers.push(raw[i]!, raw[i + 1]!)
  }
  const path = request.url?.replace('/openai', '') ?? '/'
  const method = request.method as Dispatcher.HttpMethod
  pool.dispatch({ path, method, headers, body: body.length > 0 ? body : null }, new Relay(response))
}

createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => relay(request, response, chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
}).listen(Number(port), '127.0.0.1')
