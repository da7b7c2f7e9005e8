import { lookup as systemLookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { type AddressGuard, isLocalName, literalAddress, loopbackAddresses } from '../../net/net.ts'

/** An upstream's address that may not be contacted. */
export class ForbiddenAddress extends Error {
  override readonly name = 'ForbiddenAddress'
  readonly code = 'ERR_FORBIDDEN_ADDRESS'
  readonly hint = 'Allow its network with upstream.allowPrivate if it really is yours.'

  constructor(host: string) {
    super(`${host} is a private, link-local or reserved address`)
  }
}

interface Found {
  readonly address: string
  readonly family: number
}

/**
 * A name lookup for `net.connect` that leaves forbidden addresses out. It runs for each connection, so a name that is
 * rebound to a private address later is refused as well. `localhost` is both loopback addresses, whatever the system's
 * table says: a server may listen on one of them only, and the connection is made to the one that takes it.
 */
export function guardedLookup(guard: AddressGuard): LookupFunction {
  return (hostname, options, callback) => {
    const usableOf = (found: readonly Found[]) => {
      const usable = found.filter(({ address }) => guard(address))
      const first = usable[0]
      if (!first) return callback(new ForbiddenAddress(hostname), '')
      if (options.all) callback(null, usable)
      else callback(null, first.address, first.family)
    }
    if (isLocalName(hostname)) {
      process.nextTick(usableOf, loopbackAddresses)
      return
    }
    systemLookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) callback(error, '')
      else usableOf(found)
    })
  }
}

/** Whether `host` of a URL is an address that the guard refuses; names are checked when they are looked up. */
export function isForbiddenLiteral(host: string, guard: AddressGuard): boolean {
  const address = literalAddress(host)
  return address !== null && !guard(address)
}
