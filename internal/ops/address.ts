import { isIP } from 'node:net'
import { addressGuard, bareHost, isLoopback, literalAddress } from '../net/net.ts'
import { Refusal } from '../pool/pool.ts'

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
  checkHost(bareHost(url.hostname), allowPrivate)
  return url
}

/**
 * A base URL at a private address is most likely an attempt to make spillway talk to a router, a neighbour or a cloud's
 * metadata service with a credential in hand. This machine itself is where local models and tests are.
 */
function checkHost(host: string, allowPrivate: readonly string[]): void {
  const address = literalAddress(host)
  if (isLoopback(host) || address === null || addressGuard(allowPrivate)(address)) return
  const network = isIP(address) === 6 ? `${address}/128` : `${address}/32`
  throw new Refusal(
    'invalid',
    `${host} is a private or link-local address`,
    `allow it on purpose with upstream.allowPrivate: [${network}] in spillway.yaml`,
  )
}
