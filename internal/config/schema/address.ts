import { isIP } from 'node:net'

/** Where a listener binds: a host name or IP address (IPv6 without brackets) and a port, 0 for any free one. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** The address that `127.0.0.1:8460`, `localhost:8460` or `[::1]:8460` names; null when the text is no HOST:PORT. */
export function parseAddress(text: string): Address | null {
  const match = /^(?:\[([^\]]+)\]|([^:[\]\s/]+)):(\d{1,5})$/.exec(text.trim())
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  if (!host || port > 65_535) return null
  if (match?.[1] && isIP(host) !== 6) return null
  return { host, port }
}

/** An address as HOST:PORT, with brackets around IPv6, so that it fits into a URL. */
export function formatAddress(address: Address): string {
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`
}

/** Whether the text is an IP address or a network in CIDR form such as `10.0.0.0/8`. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/')
  const family = isIP(address)
  if (family === 0 || more.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
}
