import { type Login, type TokenEndpoint, tokenEndpoints } from '../../dialect/dialect.ts'
import type { CredentialRecord, OAuthSettings } from '../../store/store.ts'
import type { Secret } from '../../vault/vault.ts'

/** What the configuration says of one login's authorization server; null keeps the known value. */
export interface LoginSettings {
  readonly tokenUrl: string | null
  readonly clientId: string | null
  readonly clientSecretFile?: string | null
  /** Where a person logs in instead of the known address. */
  readonly authorizeUrl?: string | null
  /** Where a device asks for a code (RFC 8628). */
  readonly deviceUrl?: string | null
}

/** The token endpoint of one credential, all sources taken together. */
export interface Endpoint {
  readonly login: string
  readonly url: string
  readonly clientId: string
  /** The file that holds the client's secret; null: a public client. */
  readonly clientSecretFile: string | null
  readonly encoding: TokenEndpoint['encoding']
  readonly scope: string | null
  readonly sendsScope: boolean
}

/** An OAuth 2 server that nothing is known of beyond the standard (RFC 6749). */
const plain = { encoding: 'form', sendsScope: false, clientId: null, url: null, needsClientSecret: false } as const

/** Whether spillway knows the authorization server of that login. */
export function isKnownLogin(login: string): login is Login {
  return Object.hasOwn(tokenEndpoints, login)
}

/**
 * The token endpoint of a credential: what the credential itself says wins over the configuration, and that over what is
 * known of the login. Throws an Error that names what is missing.
 */
export function endpointOf(
  record: CredentialRecord,
  configured: Readonly<Record<string, LoginSettings | undefined>>,
): Endpoint {
  const own = record.oauth ?? settingsOf(record)
  const known = isKnownLogin(own.login) ? tokenEndpoints[own.login] : plain
  const set = configured[own.login]
  const url = own.tokenUrl ?? set?.tokenUrl ?? known.url
  const clientId = own.clientId ?? set?.clientId ?? known.clientId
  const clientSecretFile = own.clientSecretFile ?? set?.clientSecretFile ?? null
  if (url === null) throw new Error(`no token endpoint is configured for ${record.name}`)
  if (clientId === null) throw new Error(`no OAuth client id is configured: set oauth.${own.login}.clientId`)
  if (known.needsClientSecret && clientSecretFile === null)
    throw new Error(`no OAuth client secret is configured: set oauth.${own.login}.clientSecretFile`)
  const { encoding, sendsScope } = known
  return { login: own.login, url, clientId, clientSecretFile, encoding, sendsScope, scope: own.scope }
}

/** The body of a refresh grant (RFC 6749 section 6). */
export function refreshFields(
  endpoint: Endpoint,
  grant: { readonly refreshToken: Secret; readonly scope: string | null; readonly clientSecret: Secret | null },
): Readonly<Record<string, string>> {
  const scope = endpoint.scope ?? grant.scope
  return {
    client_id: endpoint.clientId,
    grant_type: 'refresh_token',
    refresh_token: grant.refreshToken.reveal(),
    ...(grant.clientSecret ? { client_secret: grant.clientSecret.reveal() } : {}),
    ...(endpoint.sendsScope && scope !== null ? { scope } : {}),
  }
}

/** A record without settings of its own belongs to the login that its shared file is named after. */
function settingsOf(record: CredentialRecord): OAuthSettings {
  const login = record.source.kind === 'file' ? record.source.format : record.provider
  const name = { anthropic: 'claude' }[login] ?? login
  return { login: name, tokenUrl: null, clientId: null, clientSecretFile: null, scope: null }
}
