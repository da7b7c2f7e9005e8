import { lookup as systemLookup } from 'node:dns'
import { BlockList, isIP, isIPv4, type LookupFunction } from 'node:net'

/** What a test of addresses decides: whether a connection may be made to it. */
export type AddressGuard = (address: string) => boolean

/** An upstream's address that may not be contacted. */
export class ForbiddenAddress extends Error {
  override readonly name = 'ForbiddenAddress'
  readonly code = 'ERR_FORBIDDEN_ADDRESS'
  readonly hint = 'Allow its network with upstream.allowPrivate if it really is yours.'

  constructor(host: string) {
    super(`${host} is a private, link-local or reserved address`)
  }
}

/** Not globally reachable, after the IANA special-purpose address registries (RFC 6890). */
const special = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/128',
  '::1/128',
  '100::/64',
  '2001:db8::/32',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
]

/** A guard that lets public addresses pass, and of the special ones those within `allowed` (CIDRs). */
export function addressGuard(allowed: readonly string[]): AddressGuard {
  const forbidden = blockList(special)
  const exempt = blockList(allowed)
  return (address) => {
    const plain = embeddedIPv4(address) ?? address
    const family = isIPv4(plain) ? 'ipv4' : 'ipv6'
    return !forbidden.check(plain, family) || exempt.check(plain, family)
  }
}

/**
 * A name lookup for `net.connect` that leaves forbidden addresses out. It runs for each connection, so a name that is
 * rebound to a private address later is refused as well.
 */
export function guardedLookup(guard: AddressGuard): LookupFunction {
  return (hostname, options, callback) => {
    systemLookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '')
      const usable = found.filter(({ address }) => guard(address))
      const first = usable[0]
      if (!first) return callback(new ForbiddenAddress(hostname), '')
      if (options.all) callback(null, usable)
      else callback(null, first.address, first.family)
    })
  }
}

/** Whether `host` of a URL is an address that the guard refuses; names are checked when they are looked up. */
export function isForbiddenLiteral(host: string, guard: AddressGuard): boolean {
  const address = host.replace(/^\[|\]$/g, '')
  return isIP(address) !== 0 && !guard(address)
}

function blockList(cidrs: readonly string[]): BlockList {
  const list = new BlockList()
  for (const cidr of cidrs) {
    const [network = '', prefix] = cidr.split('/')
    const family = isIPv4(network) ? 'ipv4' : 'ipv6'
    list.addSubnet(network, Number(prefix ?? (family === 'ipv4' ? 32 : 128)), family)
  }
  return list
}

/** The IPv4 address inside a mapped (`::ffff:`) or translated (`64:ff9b::`) IPv6 address; null for all others. */
function embeddedIPv4(address: string): string | null {
  const match = /^(?:::ffff:|64:ff9b::)(?:(\d+\.\d+\.\d+\.\d+)|([0-9a-f]{1,4}):([0-9a-f]{1,4}))$/i.exec(address)
  if (!match) return null
  if (match[1]) return match[1]
  const high = Number.parseInt(match[2] ?? '0', 16)
  const low = Number.parseInt(match[3] ?? '0', 16)
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`
}
