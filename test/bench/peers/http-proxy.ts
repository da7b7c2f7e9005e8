/** Bare http-proxy (1.18, in the release that does without deprecated calls): the peer that everybody knows. */
import { Agent, createServer } from 'node:http'
import { Agent as SecureAgent } from 'node:https'
import httpProxy from 'http-proxy'

const [port, target = ''] = process.argv.slice(2)
const kept = { keepAlive: true, maxSockets: 256 }
const agent = target.startsWith('https:') ? new SecureAgent(kept) : new Agent(kept)
const proxy = httpProxy.createProxyServer({ target, agent, secure: false })
proxy.on('error', (_error, _request, response) => response.end())
createServer((request, response) => {
  request.headers.authorization = 'Bearer sk-upstream'
  request.url = request.url?.replace('/openai', '') ?? '/'
  proxy.web(request, response)
}).listen(Number(port), '127.0.0.1')
