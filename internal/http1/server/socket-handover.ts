import { Socket } from 'node:net'
import { guarded } from '../guarded.ts'

/** The parts of a socket of node that are not in its types. */
interface Inner {
  _handle: { reading?: boolean; readStop?(): void; useUserBuffer?(buffer: Buffer): void } | null
  /** What counts the connection until it is closed. */
  _server: unknown
  server: unknown
}

/** Gives buffers to read into, and takes what was read; a buffer that is used again holds those bytes only until `take` returns. */
export interface ReadTarget {
  /** The buffer for the next read. */
  buffer(): Buffer
  take(buffer: Buffer, length: number): void
}

/**
 * An accepted connection that reads into buffers of ours in place of memory of its own for each read, and past node's
 * streams. node does that (`onread`) for sockets that it opens, and has no such option for those that it accepts: so its
 * handle gets another socket around it. null where that cannot be done (TLS): then the old one is as it was.
 */
export function readIntoBuffers(socket: Socket, reads: ReadTarget): Socket | null {
  const { _handle: handle } = socket as unknown as Inner
  if ('encrypted' in socket || !handle?.readStop || !handle.useUserBuffer || socket.readableLength > 0) return null
  const callback = (length: number, buffer: Uint8Array) => {
    reads.take(buffer as Buffer, length)
    return true
  }
  const lent = inPlaceOf(socket, { onread: { buffer: () => reads.buffer(), callback } })
  lent.resume()
  return lent
}

/**
 * The same connection with a socket that reads as any other does, once it is resumed. Its handle goes on filling buffers
 * of ours, as that cannot be undone: what is in them is copied into the stream. The lent socket closes, for those who keep
 * something by it until then; its own close would never come.
 */
export function readAsStream(lent: Socket): Socket {
  const buffer = Buffer.allocUnsafeSlow(65_536)
  const callback = (length: number): boolean => usual.push(Buffer.from(buffer.subarray(0, length)))
  const usual = inPlaceOf(lent, { pauseOnCreate: true, onread: { buffer, callback } })
  lent.destroy()
  return usual
}

function inPlaceOf(socket: Socket, options: object): Socket {
  const old = socket as unknown as Inner
  const handle = old._handle
  handle?.readStop?.()
  if (handle) handle.reading = false
  old._handle = null
  const { server, _server } = old
  // It counts for nothing any more, whatever becomes of it.
  old._server = null
  const successor = guarded(new Socket({ handle, allowHalfOpen: true, ...options } as object))
  return Object.assign(successor, { server, _server })
}
