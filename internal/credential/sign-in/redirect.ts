import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { LoginEndpoint } from './login-endpoints.ts'

/** The return of the browser. */
interface Redirect {
  readonly redirectUri: string
  readonly answer: Promise<URLSearchParams>
  arrive(parameters: URLSearchParams): void
  fail(error: Error): void
  close(): void
}

/** Listens where the browser is sent back to; when the port is taken, the address must be pasted. */
export async function listen(loginEndpoint: LoginEndpoint): Promise<Redirect> {
  let arrive: Redirect['arrive'] = () => {}
  let fail: Redirect['fail'] = () => {}
  const answer = new Promise<URLSearchParams>((resolve, reject) => {
    arrive = resolve
    fail = reject
  })
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    const isIt = request.method === 'GET' && url.pathname === loginEndpoint.redirectPath
    response.writeHead(isIt ? 200 : 404, { 'content-type': 'text/plain', connection: 'close' })
    response.end(isIt ? 'You can close this window and go back to spillway.\n' : 'not found\n')
    if (isIt) arrive(url.searchParams)
  })
  const port = await portOf(server, loginEndpoint.redirectPort)
  return {
    redirectUri: `http://localhost:${port}${loginEndpoint.redirectPath}`,
    answer,
    arrive,
    fail,
    close: () => server.close(),
  }
}

function portOf(server: Server, wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => (wanted === 0 ? reject(error) : resolve(wanted)))
    server.listen(wanted, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}
