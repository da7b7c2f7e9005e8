import type { Dialect } from './port.ts'

/**
 * A canonical probe of `path` below the upstream base. A base that already ends with the beginning of the path
 * (`https://host/v1` and `/v1/models`) keeps it only once. The operator's own probe path is taken as it is.
 */
export function probeOf(path: string): Dialect['probe'] {
  return (baseUrl, probePath) => ({ method: 'GET', path: probePath ?? below(baseUrl, path) })
}

function below(baseUrl: string, path: string): string {
  const base = baseUrl.replace(/^\w+:\/\/[^/]*/, '').replace(/\/+$/, '')
  const segments = path.split('/')
  for (let count = segments.length - 1; count > 1; count--) {
    if (base.endsWith(segments.slice(0, count).join('/'))) return `/${segments.slice(count).join('/')}`
  }
  return path
}
