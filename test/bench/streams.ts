import { connect, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { residentBytes } from './process.ts'
import { alone } from './proxied.ts'
import { type Running, spillway } from './variants.ts'

/** Opens a stream that stays open and resolves with its socket once the first event is here. */
function open({ port, path, headers }: Running): Promise<Socket> {
  const body = JSON.stringify({ model: 'gpt-5', messages: [], stream: true })
  const head = Object.entries({ host: '127.0.0.1', ...headers, 'content-length': String(body.length) })
  const lines = head.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.on('error', reject)
    socket.once('data', () => resolve(socket))
    socket.write(`POST ${path}?events=100000&gap=1000 HTTP/1.1\r\n${lines}\r\n${body}`)
  })
}

/** Memory that each of many open streams takes in the proxy. */
export function memoryPerStream(count: number): Promise<{ count: number; bytesEach: number }> {
  return alone(spillway('streams', { members: 2, limited: 0, connections: count + 100 }), async (proxy) => {
    const pid = proxy.pids()[0] ?? 0
    const warm = await Promise.all(Array.from({ length: 50 }, () => open(proxy)))
    await wait(2_000)
    const before = residentBytes(pid)
    const sockets: Socket[] = []
    for (let i = 0; i < count; i += 100) {
      sockets.push(...(await Promise.all(Array.from({ length: 100 }, () => open(proxy)))))
    }
    await wait(5_000)
    const bytesEach = (residentBytes(pid) - before) / count
    for (const socket of [...warm, ...sockets]) socket.destroy()
    return { count, bytesEach }
  })
}
