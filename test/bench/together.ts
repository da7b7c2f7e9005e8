import type { ChildProcess } from 'node:child_process'
import { loadCore } from './cores.ts'
import { forkPinned, freePort, listening } from './process.ts'
import type { Running, Variant } from './variants.ts'

/** Proxies that run side by side in front of one origin. */
export interface Together {
  readonly proxies: readonly Running[]
  readonly origin: { readonly port: number; readonly process: ChildProcess }
  /** What is not installed, in words. */
  readonly missing: readonly string[]
}

/** Which upstream the proxies get, and how many descriptors it may open (null: as many as this process). */
interface OriginKind {
  readonly module: URL
  readonly descriptors: number | null
  /** Whether the proxies ask it over TLS. */
  readonly isSecure: boolean
}

/** Starts an origin and the proxies in front of it, and ends them all when `use` has ended. */
export async function together<T>(
  variants: readonly Variant[],
  use: (together: Together) => Promise<T>,
  kind: Partial<OriginKind> = {},
): Promise<T> {
  const { module = new URL('./origin.js', import.meta.url), descriptors = null, isSecure = false } = kind
  const port = await freePort()
  const process = forkPinned(module, loadCore, [String(port), isSecure ? 'tls' : 'plain'], descriptors)
  const proxies: Running[] = []
  const missing: string[] = []
  try {
    await listening(port)
    for (const variant of variants) {
      const started = variant.start(await freePort(), { port, isSecure })
      if ('missing' in started) missing.push(started.missing)
      else proxies.push(await started)
    }
    return await use({ proxies, origin: { port, process }, missing })
  } finally {
    for (const proxy of proxies) proxy.stop()
    process.kill()
  }
}
