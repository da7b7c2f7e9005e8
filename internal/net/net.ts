/**
 * Which addresses are this machine, private, link-local or reserved: the one list of them.
 */
import { BlockList, isIP, isIPv4 } from 'node:net'

/** What a test of addresses decides: whether a connection may be made to it. */
export type AddressGuard = (address: string) => boolean

/** Not globally reachable, after the IANA special-purpose address registries (RFC 6890). */
const specialNetworks = [
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

const special = networkList(specialNetworks)
const loopback = networkList(['127.0.0.0/8', '::1/128'])

/** The addresses of `localhost`, which needs no name server to be this machine (RFC 6761, 6.3). */
export const loopbackAddresses = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
] as const

/** The cloud metadata services that have a name, and their address. */
const metadata = new Set(['metadata', 'metadata.google.internal', 'instance-data'])
const metadataAddress = '169.254.169.254'

/** A guard that lets public addresses pass, and of the special ones those within `allowed` (addresses or CIDRs). */
export function addressGuard(allowed: readonly string[]): AddressGuard {
  const exempt = networkList(allowed)
  return (address) => !contains(special, address) || contains(exempt, address)
}

/** A host as a URL has it, without the brackets of IPv6 and the dot of a rooted name. */
export function bareHost(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
}

/** Whether the name is `localhost` or below it. */
export function isLocalName(hostname: string): boolean {
  const host = bareHost(hostname).toLowerCase()
  return host === 'localhost' || host.endsWith('.localhost')
}

/** Whether the host of a URL is this machine itself. */
export function isLoopback(hostname: string): boolean {
  const host = bareHost(hostname)
  return isLocalName(host) || (isIP(host) !== 0 && contains(loopback, host))
}

/**
 * The address that a host stands for without a look-up: its own when it is one, that of the metadata service when it is one
 * of its names; null for all other names.
 */
export function literalAddress(hostname: string): string | null {
  const host = bareHost(hostname)
  if (isIP(host) !== 0) return host
  return metadata.has(host.toLowerCase()) ? metadataAddress : null
}

function networkList(cidrs: readonly string[]): BlockList {
  const list = new BlockList()
  for (const cidr of cidrs) {
    const [network = '', prefix] = cidr.split('/')
    const family = isIPv4(network) ? 'ipv4' : 'ipv6'
    list.addSubnet(network, Number(prefix ?? (family === 'ipv4' ? 32 : 128)), family)
  }
  return list
}

function contains(list: BlockList, address: string): boolean {
  const plain = embeddedIPv4(address) ?? address
  return list.check(plain, isIPv4(plain) ? 'ipv4' : 'ipv6')
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

/** Whether an address is in a network, for text such as `10.0.0.0/8`; null when the text is no network. */
export function networkOf(text: string): ((host: string) => boolean) | null {
  const [address = '', prefix, ...rest] = text.split('/')
  const bits = isIP(address) === 6 ? 128 : 32
  if (isIP(address) === 0 || prefix === undefined || rest.length > 0) return null
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > bits) return null
  const list = networkList([text])
  return (host) => isIP(host) !== 0 && contains(list, host)
}
