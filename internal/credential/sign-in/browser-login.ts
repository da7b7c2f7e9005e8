import * as oauth from 'oauth4webapi'
import { Refusal } from '../../pool/pool.ts'
import type { TokenSet } from '../oauth/tokens.ts'
import { type AuthorizationServer, refusalOf, type SignInDeps, tokensOf } from './authorization-server.ts'
import { type LoginFlow, patienceMs, quiet } from './login-flow.ts'
import { pasted } from './pasted.ts'
import { listen } from './redirect.ts'

/** Begins a login in a browser, with PKCE (RFC 7636). */
export async function browserLogin(deps: SignInDeps, to: AuthorizationServer): Promise<LoginFlow> {
  const { clock, loginEndpoint, endpoint } = deps
  if (loginEndpoint.authorizeUrl === null)
    throw new Refusal(
      'conflict',
      `it is not known where one logs in to ${endpoint.login}`,
      'set authorizeUrl or deviceUrl',
    )
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const redirect = await listen(loginEndpoint)
  const url = new URL(loginEndpoint.authorizeUrl)
  const parameters = {
    response_type: 'code',
    client_id: endpoint.clientId,
    redirect_uri: redirect.redirectUri,
    scope: loginEndpoint.scope,
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...loginEndpoint.parameters,
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  const until = clock.now() + patienceMs
  const late = clock.after(patienceMs, () =>
    redirect.fail(new Refusal('needs-person', 'nobody agreed to the login in time')),
  )
  const tokens = redirect.answer
    .then((answer) => redeem(deps, to, { answer, state, verifier, redirectUri: redirect.redirectUri }))
    .finally(() => {
      late()
      redirect.close()
    })
  return {
    prompt: { kind: 'browser', url: url.href, until },
    tokens: quiet(tokens),
    paste: (address) => redirect.arrive(pasted(address, state)),
    cancel: () => redirect.fail(new Refusal('failed', 'the login was cancelled')),
  }
}

async function redeem(
  deps: SignInDeps,
  { server, client, auth, options }: AuthorizationServer,
  got: { answer: URLSearchParams; state: string; verifier: string; redirectUri: string },
): Promise<TokenSet> {
  try {
    const checked = oauth.validateAuthResponse(server, client, got.answer, got.state)
    // Some servers want to see the state again where the standard does not mention it.
    const more = deps.loginEndpoint.repeatsState ? { additionalParameters: { state: got.state } } : {}
    const response = await oauth.authorizationCodeGrantRequest(
      server,
      client,
      auth,
      checked,
      got.redirectUri,
      got.verifier,
      { ...options, ...more },
    )
    return tokensOf(deps, await oauth.processAuthorizationCodeResponse(server, client, response))
  } catch (error) {
    throw refusalOf(error)
  }
}
