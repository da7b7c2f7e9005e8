import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Clock } from '../../clock/clock.ts'
import type { Connector } from '../../outbound/outbound.ts'

/** How `reaches` connects. */
interface ConnectOptions {
  readonly lookup: LookupFunction
  readonly clock: Clock
  readonly deadlineMs: number
  /** Opens the connection through a proxy; null: directly. */
  readonly connect: Connector | null
}

/** Whether a connection to the URL's host can be opened (with TLS for https); sends no request and never rejects. */
export function reaches(baseUrl: string, { lookup, clock, deadlineMs, connect }: ConnectOptions): Promise<boolean> {
  if (connect) return connectsThroughProxy(new URL(baseUrl), connect)
  const { protocol, hostname, port } = new URL(baseUrl)
  const isSecure = protocol === 'https:'
  const host = hostname.replace(/^\[|\]$/g, '')
  const target = { host, port: Number(port || (isSecure ? 443 : 80)), lookup }
  return new Promise((resolve) => {
    const socket: Socket = isSecure
      ? connectTls({ ...target, ...(isIP(host) ? {} : { servername: host }) })
      : connectTcp(target)
    const settle = (connects: boolean) => {
      cancel()
      socket.destroy()
      resolve(connects)
    }
    const cancel = clock.after(deadlineMs, () => settle(false))
    socket.once(isSecure ? 'secureConnect' : 'connect', () => settle(true))
    socket.on('error', () => settle(false))
  })
}

function connectsThroughProxy({ protocol, hostname, host, port }: URL, connect: Connector): Promise<boolean> {
  return new Promise((resolve) => {
    connect({ protocol, hostname, host, port }, (...[, socket]) => {
      socket?.on('error', () => {}).destroy()
      resolve(socket !== null)
    })
  })
}
