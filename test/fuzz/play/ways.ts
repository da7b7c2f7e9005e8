import { createRequire, syncBuiltinESMExports } from 'node:module'
import tls, { type ConnectionOptions } from 'node:tls'
import { buildConnector } from 'undici'
import { directly, type Outbound } from '../../../internal/outbound/outbound.ts'
import { selfSigned } from '../../fakes/upstream/certificate.ts'

/** How the proxy speaks to the upstream: with its own connections over TCP or TLS, or with undici's as through an outbound proxy. */
export const ways = ['tcp', 'tls', 'undici'] as const
export type Way = (typeof ways)[number]

/** The way of that name; throws an Error that names all of them. */
export function wayOf(name: string): Way {
  const way = ways.find((each) => each === name)
  if (!way) throw new Error(`there is no upstream ${name}; there are ${ways.join(', ')}`)
  return way
}

let isTrusted = false

/** Makes every TLS connection that this process opens from now on trust the fake certificate. */
export function trustSelfSigned(): void {
  if (isTrusted) return
  isTrusted = true
  const { connect } = tls
  Object.assign(tls, { connect: (options: ConnectionOptions) => connect({ ...options, ca: selfSigned.cert }) })
  syncBuiltinESMExports()
}

/** Leads to where it is asked, without a proxy: whoever is given a connector uses undici's client. */
export const byConnector: Outbound = {
  ...directly,
  connector: (_url, { timeout }) => buildConnector({ timeout, allowH2: false }),
}

const undiciTimers = createRequire(import.meta.url)('undici/lib/util/timers.js') as { tick(ms: number): void }

/** Lets the time of undici's deadlines pass, which no clock of ours moves. */
export function passUndiciTime(ms: number): void {
  // A timer counts from the first tick that it sees.
  undiciTimers.tick(0)
  undiciTimers.tick(ms)
}
