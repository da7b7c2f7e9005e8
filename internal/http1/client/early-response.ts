import type { Socket } from 'node:net'

/**
 * Lets a socket that fails in writing be read to its end. An upstream that refuses a long body answers, and closes; the
 * reset that our next bytes meet would make node drop the answer, which is here already (RFC 9112, 9.6).
 */
export function readEarlyResponse(socket: Socket): void {
  const { destroy } = socket
  let isHearing = false
  socket.destroy = function (error?: NodeJS.ErrnoException) {
    if (error?.syscall !== 'write') return destroy.call(this, error)
    // Of a body in chunks several writes are under way, and each of them fails.
    if (isHearing) return this
    isHearing = true
    // What is in the kernel is read within the next turn of the event loop.
    setImmediate(() => setImmediate(() => destroy.call(this, error)))
    return this
  }
}
