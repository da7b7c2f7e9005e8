/** `v1`, `v4`, `v1beta`, `v1internal`. */
const version = /^v\d+[a-z0-9]*$/

/**
 * A function that puts a request's path below the path of a base URL, byte for byte, but for one thing: a version that the base
 * ends with and the request begins with stands once (`/v1` and `/v1/models` give `/v1/models`). Some clients carry the
 * version in their base URL and some in their paths, and no API has one below another. The same holds of what stands around
 * the version in both (`/openai/v1` and `/openai/v1/models`). The probe's path is put there by the same rule.
 */
export function pathsBelow(basePath: string): (path: string) => string {
  const base = basePath.replace(/\/+$/, '')
  const shared = versionedEndings(base)
  if (shared.length === 0) return (path) => base + path
  return (path) => {
    for (const ending of shared) {
      if (path.startsWith(ending) && (path.length === ending.length || path.charCodeAt(ending.length) === 47))
        return base + path.slice(ending.length)
    }
    return base + path
  }
}

/** The ends of a path that hold a version, the longest first; each begins with a slash. */
function versionedEndings(base: string): readonly string[] {
  const segments = base.split('/').slice(1)
  const last = segments.findLastIndex((segment) => version.test(segment))
  return segments.slice(0, last + 1).map((_, at) => `/${segments.slice(at).join('/')}`)
}
