import { bareHost, networkOf } from '../net/net.ts'

/** An HTTP proxy through which connections are made. Whatever prints it shows no password. */
export class OutboundProxy {
  readonly url: URL
  /** The value of `Proxy-Authorization`; null when it asks for none. */
  readonly #authorization: string | null

  constructor(url: URL) {
    const { username, password } = url
    const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
    this.#authorization = username === '' ? null : `Basic ${Buffer.from(user).toString('base64')}`
    this.url = new URL(url)
    this.url.username = ''
    this.url.password = ''
  }

  /** Reveals the password: call it where the bytes leave the process. */
  authorization(): string | null {
    return this.#authorization
  }

  toString(): string {
    return this.#authorization === null ? this.url.origin : `${this.url.protocol}//***@${this.url.host}`
  }

  toJSON(): string {
    return this.toString()
  }
}

/** Which proxy leads where. */
export interface ProxyChoice {
  readonly http: OutboundProxy | null
  readonly https: OutboundProxy | null
  /** As it was given: hosts that are reached directly. */
  readonly noProxy: string
  /** The proxy on the way to a URL; null: it is reached directly. */
  proxyFor(url: URL): OutboundProxy | null
}

type Variables = Readonly<Record<string, string | undefined>>

/**
 * The proxies of the environment (`http_proxy`, `https_proxy`, `no_proxy`; lower case wins, as with curl), or the configured
 * one in place of both. `no_proxy` holds for either. Throws an Error that names the variable and quotes no password.
 */
export function proxyChoice(env: Variables, configured: string | null): ProxyChoice {
  const own = configured === null ? null : proxyAt('upstream.proxy', configured)
  const from = (name: string) => {
    const [variable, value] = variableOf(env, name)
    return own ?? (value === '' ? null : proxyAt(variable, value))
  }
  const http = from('http_proxy')
  const https = from('https_proxy')
  const [, noProxy] = variableOf(env, 'no_proxy')
  const isExempt = exemptions(noProxy)
  return {
    http,
    https,
    noProxy,
    proxyFor(url) {
      const proxy = url.protocol === 'https:' ? https : http
      return proxy === null || isExempt(url) ? null : proxy
    },
  }
}

function variableOf(env: Variables, name: string): [string, string] {
  const upper = name.toUpperCase()
  const lower = env[name]?.trim()
  return lower === undefined ? [upper, env[upper]?.trim() ?? ''] : [name, lower]
}

function proxyAt(where: string, value: string): OutboundProxy {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`
  if (!URL.canParse(text)) throw new Error(`${where} is not the URL of a proxy, such as http://proxy.example:3128`)
  const url = new URL(text)
  if (url.protocol === 'http:' || url.protocol === 'https:') return new OutboundProxy(url)
  throw new Error(`${where} names a proxy of the kind ${url.protocol}//; spillway uses http:// and https:// proxies`)
}

/**
 * Whether a URL is reached directly: `*` is every host; an entry is a host and all names below it, with or without a dot or
 * `*.` before it, or an address, each with a port or for all ports. Networks (10.0.0.0/8) hold for addresses.
 */
function exemptions(noProxy: string): (url: URL) => boolean {
  const entries = noProxy
    .split(/[,\s]+/)
    .filter((entry) => entry !== '')
    .map(entryOf)
  return (url) => {
    const host = bareHost(url.hostname).toLowerCase()
    const port = url.port || (url.protocol === 'https:' ? '443' : '80')
    return entries.some((entry) => (entry.port === null || entry.port === port) && entry.holds(host))
  }
}

interface Entry {
  readonly port: string | null
  holds(host: string): boolean
}

function entryOf(text: string): Entry {
  if (text === '*') return { port: null, holds: () => true }
  const [, bracketed, plain = text, port = null] = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(text) ?? []
  const name = (bracketed ?? plain)
    .replace(/^\*?\./, '')
    .replace(/\.$/, '')
    .toLowerCase()
  const network = networkOf(name)
  if (network) return { port, holds: network }
  return { port, holds: (host) => host === name || host.endsWith(`.${name}`) }
}
