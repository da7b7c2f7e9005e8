import { Socket } from 'node:net'

/** Breaks a connection with a TCP reset, under TLS as well. */
export function reset(socket: Socket): void {
  const carrier = carrierOf(socket)
  if (carrier === null || carrier.destroyed) socket.destroy()
  else carrier.resetAndDestroy()
}

/** The TCP connection under a TLS one, which node does not show; null where there is none to be found. */
function carrierOf(socket: Socket): Socket | null {
  if (!('encrypted' in socket)) return socket
  const { _parent: parent } = socket as unknown as { readonly _parent?: unknown }
  return parent instanceof Socket ? parent : null
}
