import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Clock } from '../../clock/clock.ts'
import type { Connector, Outbound } from '../../outbound/outbound.ts'

/** Whether an upstream can be connected to, how long that took, and if not, why. */
export type Reach = { readonly ok: true; readonly ms: number } | { readonly ok: false; readonly problem: string }

/** Opens and closes one connection (with TLS for https) to the URL's host; sends no request. */
export function reach(
  baseUrl: string,
  { deadlineMs, clock, outbound }: { deadlineMs: number; clock: Clock; outbound?: Outbound },
): Promise<Reach> {
  const url = new URL(baseUrl)
  const connect = outbound?.connector(url, { timeout: deadlineMs })
  if (connect) return throughProxy(url, connect, clock)
  const secure = url.protocol === 'https:'
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port)
  const started = clock.mono()
  return new Promise((resolve) => {
    const socket: Socket = secure
      ? connectTls({ host, port, ...(isIP(host) ? {} : { servername: host }) })
      : connectTcp({ host, port })
    const settle = (result: Reach) => {
      cancel()
      socket.destroy()
      resolve(result)
    }
    const cancel = clock.after(deadlineMs, () => settle({ ok: false, problem: `no answer within ${deadlineMs} ms` }))
    socket.once(secure ? 'secureConnect' : 'connect', () =>
      settle({ ok: true, ms: Math.round(clock.mono() - started) }),
    )
    socket.on('error', (error: NodeJS.ErrnoException) => settle({ ok: false, problem: explain(error) }))
  })
}

function throughProxy({ protocol, hostname, host, port }: URL, connect: Connector, clock: Clock): Promise<Reach> {
  const started = clock.mono()
  return new Promise((resolve) => {
    connect({ protocol, hostname, host, port }, (...[error, socket]) => {
      socket?.on('error', () => {}).destroy()
      if (socket) resolve({ ok: true, ms: Math.round(clock.mono() - started) })
      else resolve({ ok: false, problem: error ? explain(error) : 'no connection' })
    })
  })
}

const sentences: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  ENOTFOUND: 'no such host name',
  EAI_AGAIN: 'the name server does not answer',
  ENETUNREACH: 'the network is unreachable',
  EHOSTUNREACH: 'the host is unreachable',
  ETIMEDOUT: 'no answer',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate chain is self-signed',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate cannot be verified',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
}

function explain(error: NodeJS.ErrnoException): string {
  return (error.code !== undefined && sentences[error.code]) || error.message
}
