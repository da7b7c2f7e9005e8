import type { Clock } from '../clock/clock.ts'
import type { ClientRequest } from './client.ts'

/** How long a client may go on sending a body that nobody wants, in ms. */
const lingerMs = 2_000

/**
 * Lets an answer reach a client that is still sending: after it the connection is closed for writing only, and what
 * comes is thrown away, up to its end or for 2 s. Closed at once, the kernel would answer the rest of the body with a
 * reset, which can overtake the answer.
 */
export function closeGently(request: ClientRequest, clock: Clock): void {
  const { socket } = request
  // What node calls when the last answer of a connection has been written.
  socket.destroySoon = () => {
    socket.end()
    const destroy = () => {
      if (socket.writableFinished) socket.destroy()
      else socket.once('finish', () => socket.destroy())
    }
    if (request.complete) {
      destroy()
      return
    }
    const forget = clock.after(lingerMs, () => socket.destroy())
    socket.once('close', forget)
    request.once('end', destroy)
    // Not at once: whoever was to send the body on is yet to give it up, and holds the client up when he does.
    setImmediate(() => request.resume())
  }
}

/** Whether the connection has had its last answer: what still comes on it is no request. */
export function isClosing({ socket }: ClientRequest): boolean {
  return socket.writableEnded
}
