import { bareHost, isLoopback } from '../net/net.ts'

/** What of a request says where it comes from. */
export interface Asked {
  readonly method: string
  readonly host: string | undefined
  readonly origin: string | undefined
  /** `Sec-Fetch-Site`. */
  readonly site: string | undefined
  /** `Sec-Fetch-Mode`: `navigate` where a person opens a page. */
  readonly mode: string | undefined
  /** The address of this machine on which it arrived. */
  readonly reached: string
}

/** Where the web view is. */
export interface Place {
  readonly scheme: 'http' | 'https'
  /** As configured. */
  readonly listenHost: string
  readonly publicUrl: string | null
}

/**
 * Whether a request is for us and from our own pages: `foreign-host` for a name that is not ours, such as one that was made
 * to resolve to this machine; `foreign-origin` for what another page sends or loads, and for a change that does not say whose
 * it is.
 * A page without a referrer sends `Origin: null` with its forms, so that `Sec-Fetch-Site` decides there.
 */
export function passes(asked: Asked, place: Place): 'yes' | 'foreign-host' | 'foreign-origin' {
  if (!isOurs(asked, place)) return 'foreign-host'
  const { origin, site, mode, method } = asked
  const named = origin !== undefined && origin !== 'null'
  if (named && !isOwn(origin, asked, place)) return 'foreign-origin'
  const isForeign = site !== undefined && site !== 'same-origin'
  if (method === 'GET' || method === 'HEAD') {
    return isForeign && mode !== undefined && mode !== 'navigate' ? 'foreign-origin' : 'yes'
  }
  if (isForeign) return 'foreign-origin'
  return named || site === 'same-origin' ? 'yes' : 'foreign-origin'
}

function isOurs({ host, reached }: Asked, { listenHost, publicUrl }: Place): boolean {
  if (host === undefined || !URL.canParse(`http://${host}`)) return false
  if (publicUrl !== null && isAt(host, publicUrl)) return true
  const name = bareHost(new URL(`http://${host}`).hostname)
  const at = reached.replace(/^::ffff:/, '')
  return name === listenHost || name === at || (isLoopback(name) && isLoopback(at))
}

/** Whether a `Host` is that of the address; one that names the scheme's own port is, too. */
function isAt(host: string, address: string): boolean {
  const { protocol, host: own } = new URL(address)
  return URL.canParse(`${protocol}//${host}`) && new URL(`${protocol}//${host}`).host === own
}

function isOwn(origin: string, { host = '' }: Asked, { scheme, publicUrl }: Place): boolean {
  if (publicUrl !== null && origin === new URL(publicUrl).origin) return true
  return origin === new URL(`${scheme}://${host}`).origin
}
