/** Requests as they are written on a connection, and what comes back on it. */
import type { Socket } from 'node:net'
import type { Rig } from './rig.ts'

/** Writes requests to the pool of the rig that is running, and shows what its upstream has seen. */
export function rawRequests(rig: () => Rig) {
  const plain = (path: string, more: readonly string[] = [], method = 'GET') =>
    [`${method} /pool${path} HTTP/1.1`, 'Host: a', `Authorization: Bearer ${rig().key}`, ...more, '', ''].join('\r\n')
  return {
    plain,
    post: (path: string, body: string, more: readonly string[] = []) =>
      plain(path, [`Content-Length: ${body.length}`, ...more], 'POST') + body,
    seen: () => rig().upstream.requests.map(({ method, path, body }) => [method, path, body.toString()]),
  }
}

/** The header that ends the connection behind the answer. */
export const closing = ['Connection: close']

/** The status of each answer in what has come. */
export const statuses = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status))

/** All that comes on a connection from now on. */
export function heard(socket: Socket): () => string {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString('latin1')
}
