import type { Socket } from 'node:net'
import type { Cancel, Clock } from '../../clock/clock.ts'

/** How long a client may go on sending what nobody wants after its last answer, in ms. */
const lingerMs = 2_000

/**
 * Ends a connection behind what has been written to it, and waits for the client's own end for a while: closed at once, the kernel would answer
 * what still comes with a reset, which can overtake the answer. Returns what forgets the time limit.
 */
export function closeLingering(socket: Socket, clock: Clock): Cancel {
  let forget: Cancel = () => {}
  socket.end(() => {
    if (!socket.destroyed) forget = clock.after(lingerMs, () => socket.destroy())
  })
  return () => forget()
}
