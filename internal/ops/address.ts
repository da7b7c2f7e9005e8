import { BlockList, isIP } from 'node:net'
import { Refusal } from '../pool/pool.ts'

/**
 * Networks that no public API lives in (IANA special-purpose registries): a base URL there is most likely an attempt to
 * make spillway talk to a router, a neighbour or a cloud's metadata service with a credential in hand.
 */
const specialNetworks = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/128',
  '64:ff9b::/96',
  'fc00::/7',
  'fe80::/10',
  'ff00::/8',
]

const loopback = networks(['127.0.0.0/8', '::1/128'])
const special = networks(specialNetworks)

/** The cloud metadata services that have a name; their address is 169.254.169.254. */
const metadataNames = new Set(['metadata', 'metadata.google.internal', 'instance-data'])

function networks(cidrs: readonly string[]): BlockList {
  const list = new BlockList()
  for (const cidr of cidrs) {
    const [address = '', prefix] = cidr.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    list.addSubnet(address, prefix === undefined ? (family === 'ipv6' ? 128 : 32) : Number(prefix), family)
  }
  return list
}

function contains(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

/** Whether the host of a URL is this machine itself. */
export function isLoopback(hostname: string): boolean {
  const host = bare(hostname)
  return host === 'localhost' || host.endsWith('.localhost') || (isIP(host) > 0 && contains(loopback, host))
}

/** A host as `URL` gives it, without the brackets of IPv6 and the dot of a rooted name. */
function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
}

/**
 * The base URL without a slash at its end. Refuses what is not plain http or https, what carries credentials, a query
 * or a fragment, and private or link-local addresses outside `allowPrivate` (CIDR). Names that resolve to such an address
 * are refused by the proxy when it connects.
 */
export function checkBaseUrl(text: string, allowPrivate: readonly string[]): string {
  const url = checkUrl(text, { what: 'a base URL', example: 'https://api.openai.com', allowPrivate })
  return url.origin + url.pathname.replace(/\/+$/, '')
}

/**
 * The URL of a token endpoint as it was given. Refuses what no base URL may be, and plain http beyond this machine:
 * refresh tokens are sent there.
 */
export function checkTokenUrl(text: string, allowPrivate: readonly string[]): string {
  const url = checkUrl(text, { what: 'a token URL', example: 'https://auth.openai.com/oauth/token', allowPrivate })
  if (url.protocol === 'http:' && !isLoopback(url.hostname))
    throw new Refusal('invalid', 'a token URL begins with https://, unless it is on this machine')
  return text
}

function checkUrl(
  text: string,
  { what, example, allowPrivate }: { what: string; example: string; allowPrivate: readonly string[] },
): URL {
  if (!URL.canParse(text)) throw new Refusal('invalid', `${JSON.stringify(text)} is not a URL`, `example: ${example}`)
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new Refusal('invalid', `${what} begins with https:// or http://, not ${url.protocol}//`)
  if (url.username || url.password)
    throw new Refusal('invalid', `${what} carries no user name or password`, 'the secret is given on its own')
  if (url.search || url.hash || /[?#]/.test(text)) throw new Refusal('invalid', `${what} has no query or fragment`)
  checkHost(bare(url.hostname), allowPrivate)
  return url
}

function checkHost(host: string, allowPrivate: readonly string[]): void {
  if (isLoopback(host)) return
  const address = metadataNames.has(host) ? '169.254.169.254' : host
  if (isIP(address) === 0 || !contains(special, address)) return
  if (contains(networks(allowPrivate), address)) return
  const network = isIP(address) === 6 ? `${address}/128` : `${address}/32`
  throw new Refusal(
    'invalid',
    `${host} is a private or link-local address`,
    `allow it on purpose with upstream.allowPrivate: [${network}] in spillway.yaml`,
  )
}
