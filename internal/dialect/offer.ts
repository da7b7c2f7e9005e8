import { setBearer, setHeader } from './headers.ts'
import type { Dialect } from './port.ts'
import type { Offer } from './profile.ts'

/** Puts a key into that header, and an OAuth token into `Authorization`. */
export function injectInto(name: Offer['secretHeader']): Dialect['inject'] {
  return (headers, { secret, kind }) => {
    if (kind === 'bearer-token' || name === 'authorization') setBearer(headers, secret)
    else setHeader(headers, name, secret)
  }
}

/** The canonical probe of an offer; the operator's own path is taken as it is. */
export function probeFor({ probe }: Offer): Dialect['probe'] {
  return (baseUrl, probePath) => {
    if (probePath !== null) return { method: 'GET', path: probePath }
    return probe === null ? null : { method: 'GET', path: below(baseUrl, probe) }
  }
}

/**
 * The path below a base. A base that ends with the beginning of the path (`https://host/v1` and `/v1/models`) keeps it only
 * once, and one that has a version of its own (`…/api/paas/v4`, `…/v1beta/openai`) does not get a second.
 */
function below(baseUrl: string, path: string): string {
  const base = baseUrl.replace(/^\w+:\/\/[^/]*/, '').replace(/\/+$/, '')
  const segments = path.split('/')
  for (let count = segments.length - 1; count > 1; count--) {
    if (base.endsWith(segments.slice(0, count).join('/'))) return `/${segments.slice(count).join('/')}`
  }
  return /\/v\d+[a-z0-9]*(?:\/|$)/.test(base) ? path.replace(/^\/v\d+[a-z0-9]*(?=\/)/, '') : path
}
