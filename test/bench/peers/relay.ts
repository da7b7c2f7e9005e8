/** The floor: bytes between two sockets of Node, one connection upstream for each of a client, and nothing looked at but the path. */
import { createServer, connect as plain } from 'node:net'
import { connect as secure } from 'node:tls'

const [port, origin = ''] = process.argv.slice(2)
const { protocol, hostname: host, port: at } = new URL(origin)
const target = { host, port: Number(at), noDelay: true, rejectUnauthorized: false }

createServer({ noDelay: true }, (client) => {
  const upstream = protocol === 'https:' ? secure(target) : plain(target)
  client.on('data', (bytes) => upstream.write(bytes)).on('close', () => upstream.destroy())
  upstream.on('data', (bytes) => client.write(bytes)).on('close', () => client.destroy())
  client.on('error', () => {})
  upstream.on('error', () => {})
}).listen(Number(port), '127.0.0.1')
