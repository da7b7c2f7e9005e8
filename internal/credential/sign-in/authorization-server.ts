import * as oauth from 'oauth4webapi'
import type { Clock } from '../../clock/clock.ts'
import type { Outbound } from '../../outbound/outbound.ts'
import { Refusal } from '../../pool/pool.ts'
import { Secret } from '../../vault/vault.ts'
import type { Endpoint } from '../oauth/endpoint.ts'
import { chatGptAccount } from '../oauth/formats.ts'
import { emailIn, expiryOf, type TokenSet } from '../oauth/tokens.ts'
import type { LoginEndpoint } from './login-endpoints.ts'

/** What a login needs to know. */
export interface SignInDeps {
  readonly clock: Clock
  readonly endpoint: Endpoint
  readonly clientSecret: Secret | null
  readonly loginEndpoint: LoginEndpoint
  readonly outbound: Outbound
}

/** The authorization server and who we are to it, as the library wants them. */
export interface AuthorizationServer {
  readonly server: oauth.AuthorizationServer
  readonly client: oauth.Client
  readonly auth: oauth.ClientAuth
  readonly options: { [oauth.allowInsecureRequests]: boolean; [oauth.customFetch]: typeof fetch }
}

/** The authorization server of a login, reached by its way out. */
export function authorizationServerOf({
  endpoint,
  clientSecret,
  loginEndpoint,
  outbound,
}: SignInDeps): AuthorizationServer {
  const server = {
    issuer: loginEndpoint.issuer ?? new URL(endpoint.url).origin,
    token_endpoint: endpoint.url,
    ...(loginEndpoint.authorizeUrl === null ? {} : { authorization_endpoint: loginEndpoint.authorizeUrl }),
    ...(loginEndpoint.deviceUrl === null ? {} : { device_authorization_endpoint: loginEndpoint.deviceUrl }),
  }
  return {
    server,
    client: { client_id: endpoint.clientId },
    auth: clientSecret === null ? oauth.None() : oauth.ClientSecretPost(clientSecret.reveal()),
    options: {
      // Only loopback addresses get here without TLS: they are checked when they are configured.
      [oauth.allowInsecureRequests]: endpoint.url.startsWith('http:'),
      [oauth.customFetch]: (url, init) => outbound.fetch(url, endpoint.encoding === 'json' ? asJson(init) : init),
    },
  }
}

/** The standard's form as the JSON object that some servers want instead. */
function asJson(init: RequestInit | undefined): RequestInit {
  const headers = new Headers(init?.headers)
  headers.set('content-type', 'application/json')
  const fields = Object.fromEntries(new URLSearchParams(String(init?.body ?? '')))
  return { ...init, headers, body: JSON.stringify(fields) }
}

/** The tokens in what the authorization server answered. */
export function tokensOf({ clock, endpoint }: SignInDeps, answer: oauth.TokenEndpointResponse): TokenSet {
  const { access_token, refresh_token, expires_in, id_token, scope } = answer
  return {
    accessToken: new Secret(access_token),
    refreshToken: refresh_token === undefined ? null : new Secret(refresh_token),
    expiresAt: expires_in === undefined ? expiryOf(access_token) : clock.now() + expires_in * 1000,
    accountId: endpoint.login === 'codex' ? chatGptAccount(id_token ?? access_token) : null,
    scope: scope ?? null,
    idToken: id_token === undefined ? null : new Secret(id_token),
    account: emailIn(answer.account),
  }
}

/** What went wrong, for people: the errors of the library carry whole responses, which hold secrets, so only their code goes on. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof oauth.ResponseBodyError || error instanceof oauth.AuthorizationResponseError) {
    const denied = error.error === 'access_denied'
    return new Refusal('failed', denied ? 'the login was declined' : `the authorization server said ${error.error}`)
  }
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : ''
  return new Refusal('failed', `the login failed${code}`)
}
