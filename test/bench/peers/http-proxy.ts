/** Bare http-proxy (1.18, in the release that does without deprecated calls): the peer that everybody knows. */
import { Agent, createServer } from 'node:http'
import httpProxy from 'http-proxy'

const [port, origin] = process.argv.slice(2)
const agent = new Agent({ keepAlive: true, maxSockets: 256 })
const proxy = httpProxy.createProxyServer({ target: `http://127.0.0.1:${origin}`, agent })
proxy.on('error', (_error, _request, response) => response.end())
createServer((request, response) => {
  request.headers.authorization = 'Bearer sk-upstream'
  request.url = request.url?.replace('/openai', '') ?? '/'
  proxy.web(request, response)
}).listen(Number(port), '127.0.0.1')
