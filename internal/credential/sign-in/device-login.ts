import * as oauth from 'oauth4webapi'
import { sleep } from '../../clock/clock.ts'
import { type At, Refusal } from '../../pool/pool.ts'
import type { TokenSet } from '../oauth/tokens.ts'
import { type AuthorizationServer, refusalOf, type SignInDeps, tokensOf } from './authorization-server.ts'
import { type LoginFlow, patienceMs, quiet } from './login-flow.ts'

/** Begins a login by device code (RFC 8628): a person enters the code anywhere. */
export async function deviceLogin(deps: SignInDeps, to: AuthorizationServer): Promise<LoginFlow> {
  const { clock, loginEndpoint } = deps
  const { server, client, auth, options } = to
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
    tokens: quiet(poll(deps, to, { device, until, cancelled: cancelled.signal })),
    paste() {},
    cancel: () => cancelled.abort(),
  }
}

async function poll(
  deps: SignInDeps,
  { server, client, auth, options }: AuthorizationServer,
  wait: { device: oauth.DeviceAuthorizationResponse; until: At; cancelled: AbortSignal },
): Promise<TokenSet> {
  let pauseMs = (wait.device.interval ?? 5) * 1000
  while (true) {
    await sleep(deps.clock, pauseMs)
    if (wait.cancelled.aborted) throw new Refusal('failed', 'the login was cancelled')
    if (deps.clock.now() >= wait.until) throw new Refusal('needs-person', 'nobody agreed to the login in time')
    try {
      const response = await oauth.deviceCodeGrantRequest(server, client, auth, wait.device.device_code, options)
      return tokensOf(deps, await oauth.processDeviceCodeResponse(server, client, response))
    } catch (error) {
      const code = error instanceof oauth.ResponseBodyError ? error.error : null
      if (code === 'slow_down') pauseMs += 5_000
      else if (code !== 'authorization_pending') throw refusalOf(error)
    }
  }
}
