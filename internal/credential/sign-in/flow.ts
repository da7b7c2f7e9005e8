import { authorizationServerOf, refusalOf, type SignInDeps } from './authorization-server.ts'
import { browserLogin } from './browser-login.ts'
import { deviceLogin } from './device-login.ts'
import type { LoginFlow } from './login-flow.ts'

/** Begins a login: by device code where the server has an address for that, else in a browser with PKCE. */
export async function beginLogin(deps: SignInDeps): Promise<LoginFlow> {
  const server = authorizationServerOf(deps)
  const flow = deps.loginEndpoint.deviceUrl === null ? browserLogin(deps, server) : deviceLogin(deps, server)
  try {
    return await flow
  } catch (error) {
    throw refusalOf(error)
  }
}
