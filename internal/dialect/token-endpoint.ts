import type { Provider } from './port.ts'
import { fields, isFields, readJson, text } from './signal.ts'

/** The logins that spillway can refresh, by the name that configuration and `cred import` use. */
export type Login = 'codex' | 'claude' | 'gemini'

/** What is known of one authorization server; configuration may override url, client id and secret. */
export interface TokenEndpoint {
  /** The dialect that the access tokens are for. */
  readonly provider: Provider
  readonly url: string
  /** The public client's id; null: the operator must configure one. */
  readonly clientId: string | null
  /** Whether the operator must configure a client secret too. */
  readonly needsClientSecret: boolean
  readonly encoding: 'json' | 'form'
  /** Whether the grant names the scopes of the login. */
  readonly sendsScope: boolean
  /** Whether a grant replaces the refresh token: then presenting the old one again can brick the login. */
  readonly rotates: boolean
  /** Codes that say that the refresh token is dead. */
  readonly rejects: RegExp
}

/** The token endpoints, from the tools' own public sources. */
export const tokenEndpoints: Readonly<Record<Login, TokenEndpoint>> = {
  codex: {
    provider: 'codex',
    url: 'https://auth.openai.com/oauth/token',
    clientId: 'app_EMoamEEZ73f0CkXaXp7hrann',
    needsClientSecret: false,
    encoding: 'json',
    sendsScope: false,
    rotates: true,
    rejects:
      /^(?:invalid_grant|refresh_token_expired|refresh_token_invalidated|token_invalidated|app_session_terminated|account_.+)$/,
  },
  claude: {
    provider: 'anthropic',
    url: 'https://platform.claude.com/v1/oauth/token',
    clientId: '9d1c250a-e61b-44d9-88ed-5944d1962f5e',
    needsClientSecret: false,
    encoding: 'json',
    sendsScope: true,
    rotates: true,
    rejects: /^invalid_grant$/,
  },
  gemini: {
    provider: 'gemini',
    url: 'https://oauth2.googleapis.com/token',
    clientId: null,
    needsClientSecret: true,
    encoding: 'form',
    sendsScope: false,
    rotates: false,
    rejects: /^invalid_grant$/,
  },
}

/** Codes under which the same token may be granted later: nothing is said about the token. */
const passing =
  /^(?:temporarily_unavailable|slow_down|server_error|rate_limit\w*|unsupported_country_region_territory)$/

/**
 * What a refused refresh means: `raced`: another process may have used this token (re-read the source); `rejected`: the
 * token is dead (re-read the source, then a person must log in); `transient`: back off the refresh and nothing else.
 * `status` is null when no answer came. A page instead of JSON comes from something in between.
 */
export function classifyTokenError(
  login: Login,
  status: number | null,
  body: string | null,
): 'rejected' | 'raced' | 'transient' {
  if (status === null || status === 429 || status >= 500) return 'transient'
  const root = readJson(body ?? '')
  if (!isFields(root)) return 'transient'
  const error = fields(root.error)
  const codes = [root.error, root.code, error.code, error.type, fields(root.detail).code].map(text)
  if (codes.includes('refresh_token_reused')) return 'raced'
  if (codes.some((code) => tokenEndpoints[login].rejects.test(code))) return 'rejected'
  if (codes.some((code) => passing.test(code))) return 'transient'
  return [400, 401, 403].includes(status) ? 'rejected' : 'transient'
}
