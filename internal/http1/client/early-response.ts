import type { Socket } from 'node:net'

/**
 * Makes a socket whose writing fails be read to its end before it is destroyed. An upstream that refuses a long body answers
 * and closes; the reset that meets the next bytes would make Node drop the answer, which has already come (RFC 9112, 9.6).
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
