import { ForbiddenAddress } from './address.ts'

const words: Readonly<Record<string, string>> = {
  ENOTFOUND: 'no such host name',
  EAI_AGAIN: 'its name could not be looked up',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was reset',
  EHOSTUNREACH: 'no route to that host',
  ENETUNREACH: 'no route to that network',
  ETIMEDOUT: 'no answer in time',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_SOCKET: 'the connection was closed',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by nobody that is trusted here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by nobody that is trusted here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is signed by nobody that is trusted here',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
}

/** Why a host gave no answer, in words for a person; a code that has none is shown as it is. */
export function whyUnreached(error: unknown): string {
  if (error instanceof ForbiddenAddress) return 'its address is private, see upstream.allowPrivate'
  for (let each = error; each instanceof Error; each = each.cause) {
    if (!('code' in each) || typeof each.code !== 'string') continue
    return words[each.code] ?? each.code
  }
  return error instanceof Error ? error.message : 'it gave no answer'
}
