import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as oauth from 'oauth4webapi'
import { type Clock, sleep } from '../../clock/clock.ts'
import type { Outbound } from '../../outbound/outbound.ts'
import type { At } from '../../pool/pool.ts'
import { Refusal } from '../../pool/pool.ts'
import { Secret } from '../../vault/vault.ts'
import type { Endpoint } from '../oauth/endpoint.ts'
import { chatGptAccount } from '../oauth/formats.ts'
import { expiryOf, type TokenSet } from '../oauth/tokens.ts'
import type { LoginEndpoint } from './login-endpoints.ts'

/** How long a person may take to agree. */
const patienceMs = 10 * 60_000

/** What a person is shown: `device`: open the address and enter the code; `browser`: open the address. */
export type LoginPrompt =
  | { readonly kind: 'device'; readonly url: string; readonly code: string; readonly until: At }
  | { readonly kind: 'browser'; readonly url: string; readonly until: At }

/** A login that waits for a person. */
export interface LoginFlow {
  readonly prompt: LoginPrompt
  /** Resolves when the person has agreed; rejects with a Refusal. */
  readonly tokens: Promise<TokenSet>
  /** The address (or the code) at which a browser on another machine ended up. */
  paste(address: string): void
  cancel(): void
}

interface Wiring {
  readonly clock: Clock
  readonly endpoint: Endpoint
  readonly clientSecret: Secret | null
  readonly loginEndpoint: LoginEndpoint
  readonly outbound: Outbound
}

interface Partner {
  readonly server: oauth.AuthorizationServer
  readonly client: oauth.Client
  readonly auth: oauth.ClientAuth
  readonly options: { [oauth.allowInsecureRequests]: boolean; [oauth.customFetch]: typeof fetch }
}

/** Begins a login: by device code where the server has an address for that, else in a browser with PKCE. */
export async function beginLogin(wiring: Wiring): Promise<LoginFlow> {
  const partner = partnerOf(wiring)
  const flow = wiring.loginEndpoint.deviceUrl === null ? inBrowser(wiring, partner) : onDevice(wiring, partner)
  try {
    return await flow
  } catch (error) {
    throw refusalOf(error)
  }
}

function partnerOf({ endpoint, clientSecret, loginEndpoint, outbound }: Wiring): Partner {
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

async function onDevice(wiring: Wiring, partner: Partner): Promise<LoginFlow> {
  const { clock, loginEndpoint } = wiring
  const { server, client, auth, options } = partner
  const asked = await oauth.deviceAuthorizationRequest(server, client, auth, { scope: loginEndpoint.scope }, options)
  const device = await oauth.processDeviceAuthorizationResponse(server, client, asked)
  const until = clock.now() + Math.min(device.expires_in * 1000, patienceMs)
  const cancelled = new AbortController()
  return {
    prompt: {
      kind: 'device',
      url: device.verification_uri_complete ?? device.verification_uri,
      code: device.user_code,
      until,
    },
    tokens: quiet(poll(wiring, partner, { device, until, cancelled: cancelled.signal })),
    paste() {},
    cancel: () => cancelled.abort(),
  }
}

async function poll(
  wiring: Wiring,
  { server, client, auth, options }: Partner,
  wait: { device: oauth.DeviceAuthorizationResponse; until: At; cancelled: AbortSignal },
): Promise<TokenSet> {
  let pauseMs = (wait.device.interval ?? 5) * 1000
  while (true) {
    await sleep(wiring.clock, pauseMs)
    if (wait.cancelled.aborted) throw new Refusal('failed', 'the login was cancelled')
    if (wiring.clock.now() >= wait.until) throw new Refusal('needs-person', 'nobody agreed to the login in time')
    try {
      const response = await oauth.deviceCodeGrantRequest(server, client, auth, wait.device.device_code, options)
      return tokensOf(wiring, await oauth.processDeviceCodeResponse(server, client, response))
    } catch (error) {
      const code = error instanceof oauth.ResponseBodyError ? error.error : null
      if (code === 'slow_down') pauseMs += 5_000
      else if (code !== 'authorization_pending') throw refusalOf(error)
    }
  }
}

async function inBrowser(wiring: Wiring, partner: Partner): Promise<LoginFlow> {
  const { clock, loginEndpoint, endpoint } = wiring
  if (loginEndpoint.authorizeUrl === null)
    throw new Refusal(
      'conflict',
      `it is not known where one logs in to ${endpoint.login}`,
      'set authorizeUrl or deviceUrl',
    )
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const arrival = await listen(loginEndpoint)
  const url = new URL(loginEndpoint.authorizeUrl)
  const parameters = {
    response_type: 'code',
    client_id: endpoint.clientId,
    redirect_uri: arrival.redirectUri,
    scope: loginEndpoint.scope,
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...loginEndpoint.parameters,
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  const until = clock.now() + patienceMs
  const late = clock.after(patienceMs, () =>
    arrival.fail(new Refusal('needs-person', 'nobody agreed to the login in time')),
  )
  const tokens = arrival.answer
    .then((answer) => redeem(wiring, partner, { answer, state, verifier, redirectUri: arrival.redirectUri }))
    .finally(() => {
      late()
      arrival.close()
    })
  return {
    prompt: { kind: 'browser', url: url.href, until },
    tokens: quiet(tokens),
    paste: (address) => arrival.arrive(pasted(address, state)),
    cancel: () => arrival.fail(new Refusal('failed', 'the login was cancelled')),
  }
}

async function redeem(
  wiring: Wiring,
  { server, client, auth, options }: Partner,
  got: { answer: URLSearchParams; state: string; verifier: string; redirectUri: string },
): Promise<TokenSet> {
  try {
    const checked = oauth.validateAuthResponse(server, client, got.answer, got.state)
    // Some servers want to see the state again where the standard does not mention it.
    const more = wiring.loginEndpoint.repeatsState ? { additionalParameters: { state: got.state } } : {}
    const response = await oauth.authorizationCodeGrantRequest(
      server,
      client,
      auth,
      checked,
      got.redirectUri,
      got.verifier,
      { ...options, ...more },
    )
    return tokensOf(wiring, await oauth.processAuthorizationCodeResponse(server, client, response))
  } catch (error) {
    throw refusalOf(error)
  }
}

interface Arrival {
  readonly redirectUri: string
  readonly answer: Promise<URLSearchParams>
  arrive(parameters: URLSearchParams): void
  fail(error: Error): void
  close(): void
}

/** Listens where the browser is sent back to; when the port is taken, the address must be pasted. */
async function listen(loginEndpoint: LoginEndpoint): Promise<Arrival> {
  let arrive: Arrival['arrive'] = () => {}
  let fail: Arrival['fail'] = () => {}
  const answer = new Promise<URLSearchParams>((resolve, reject) => {
    arrive = resolve
    fail = reject
  })
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    const isIt = request.method === 'GET' && url.pathname === loginEndpoint.redirectPath
    response.writeHead(isIt ? 200 : 404, { 'content-type': 'text/plain', connection: 'close' })
    response.end(isIt ? 'You can close this window and go back to spillway.\n' : 'not found\n')
    if (isIt) arrive(url.searchParams)
  })
  const port = await portOf(server, loginEndpoint.redirectPort)
  return {
    redirectUri: `http://localhost:${port}${loginEndpoint.redirectPath}`,
    answer,
    arrive,
    fail,
    close: () => server.close(),
  }
}

function portOf(server: Server, wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => (wanted === 0 ? reject(error) : resolve(wanted)))
    server.listen(wanted, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

/** What a person copied: the whole address, `code#state`, or the code. */
function pasted(text: string, state: string): URLSearchParams {
  const trimmed = text.trim()
  if (URL.canParse(trimmed)) return new URL(trimmed).searchParams
  const [code = '', shown = state] = trimmed.split('#')
  return new URLSearchParams({ code, state: shown })
}

function tokensOf({ clock, endpoint }: Wiring, answer: oauth.TokenEndpointResponse): TokenSet {
  const { access_token, refresh_token, expires_in, id_token, scope } = answer
  return {
    accessToken: new Secret(access_token),
    refreshToken: refresh_token === undefined ? null : new Secret(refresh_token),
    expiresAt: expires_in === undefined ? expiryOf(access_token) : clock.now() + expires_in * 1000,
    accountId: endpoint.login === 'codex' ? chatGptAccount(id_token ?? access_token) : null,
    scope: scope ?? null,
    idToken: id_token === undefined ? null : new Secret(id_token),
  }
}

/** The errors of the library carry whole responses, which hold secrets: only their code goes on. */
function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof oauth.ResponseBodyError || error instanceof oauth.AuthorizationResponseError) {
    const denied = error.error === 'access_denied'
    return new Refusal('failed', denied ? 'the login was declined' : `the authorization server said ${error.error}`)
  }
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : ''
  return new Refusal('failed', `the login failed${code}`)
}

/** Whoever cancels a login may never look at its tokens: that is no unhandled rejection. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}
