import { isIP } from 'node:net'
import { StoreError } from '../fault.ts'

/** How much a connection is protected, in the words of PostgreSQL's own tools. */
export type SslMode = 'disable' | 'require' | 'verify-ca' | 'verify-full'

/** Where a PostgreSQL database is. */
export interface Address {
  /** A name, an IP address, or the folder of a Unix socket. */
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
  readonly sslMode: SslMode
  /** For people and logs: without a password, which an address never has. */
  readonly label: string
}

const modes: readonly string[] = ['disable', 'require', 'verify-ca', 'verify-full'] satisfies SslMode[]

/**
 * The address that a `postgres://` URL names; `user` is who connects when it names nobody. What leaves this machine is
 * encrypted and verified unless `sslmode` says otherwise. Throws a StoreError that says what is wrong.
 */
export function addressOf(url: string, user: string): Address {
  const parsed = URL.canParse(url) ? new URL(url) : null
  if (!parsed || !/^postgres(ql)?:$/.test(parsed.protocol)) throw wrong('it is no postgres:// URL')
  if (parsed.password) throw wrong('it holds a password')
  const unknown = [...parsed.searchParams.keys()].filter((name) => name !== 'sslmode' && name !== 'host')
  if (unknown.length > 0) throw wrong(`it has the parameter ${unknown[0]}, and only sslmode and host are known`)
  const host = parsed.searchParams.get('host') ?? decodeURIComponent(parsed.hostname).replace(/^\[|\]$/g, '')
  const mode = parsed.searchParams.get('sslmode')
  if (mode !== null && !modes.includes(mode)) throw wrong(`sslmode must be ${modes.join(', ')}`)
  const database = decodeURIComponent(parsed.pathname.slice(1))
  if (!host || !database) throw wrong(`it names no ${host ? 'database' : 'host'}`)
  const port = Number(parsed.port || 5432)
  const as = decodeURIComponent(parsed.username) || user
  const named = host.includes(':') ? `[${host}]` : host
  const label = host.startsWith('/') ? `${host}/${database}` : `${named}:${port}/${database}`
  const sslMode = (mode as SslMode | null) ?? (isLocal(host) ? 'disable' : 'verify-full')
  return { host, port, user: as, database, sslMode, label: `postgres://${as}@${label}` }
}

function isLocal(host: string): boolean {
  return host.startsWith('/') || host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

function wrong(why: string): StoreError {
  return new StoreError('rejected', `store.url cannot be used: ${why}`, {
    hint: 'It looks like postgres://USER@HOST:5432/DATABASE?sslmode=verify-full; the password stands in store.passwordFile.',
  })
}
