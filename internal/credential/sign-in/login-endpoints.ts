import type { LoginSettings } from '../oauth/endpoint.ts'

/** Where a person logs in, from the tools' own public sources. */
export interface LoginEndpoint {
  /** As its id tokens name it; null: the origin of the token endpoint. */
  readonly issuer: string | null
  readonly authorizeUrl: string | null
  /** null: no device codes (RFC 8628). */
  readonly deviceUrl: string | null
  readonly scope: string
  /** The port that the client is registered with; 0: any. */
  readonly redirectPort: number
  readonly redirectPath: string
  readonly parameters: Readonly<Record<string, string>>
  readonly repeatsState: boolean
}

const plain: LoginEndpoint = {
  issuer: null,
  authorizeUrl: null,
  deviceUrl: null,
  scope: 'openid offline_access',
  redirectPort: 0,
  redirectPath: '/callback',
  parameters: {},
  repeatsState: false,
}

const loginEndpoints: Readonly<Record<string, LoginEndpoint>> = {
  codex: {
    ...plain,
    issuer: 'https://auth.openai.com',
    authorizeUrl: 'https://auth.openai.com/oauth/authorize',
    scope: 'openid profile email offline_access',
    redirectPort: 1455,
    redirectPath: '/auth/callback',
    // Without it the id token does not name the ChatGPT account.
    parameters: { id_token_add_organizations: 'true' },
  },
  claude: {
    ...plain,
    authorizeUrl: 'https://claude.ai/oauth/authorize',
    scope: 'user:profile user:inference',
    parameters: { code: 'true' },
    repeatsState: true,
  },
  gemini: {
    ...plain,
    issuer: 'https://accounts.google.com',
    authorizeUrl: 'https://accounts.google.com/o/oauth2/v2/auth',
    scope: 'https://www.googleapis.com/auth/cloud-platform https://www.googleapis.com/auth/userinfo.email',
    // Google gives a refresh token only to who asks for it, and only at the first consent otherwise.
    parameters: { access_type: 'offline', prompt: 'consent' },
  },
}

/** Where one logs in; the configuration wins, and a server that is not the known one has none of its addresses. */
export function loginEndpointOf(
  login: string,
  settings: LoginSettings | undefined,
  scope: string | null,
): LoginEndpoint {
  const known = loginEndpoints[login] ?? plain
  const isElsewhere = settings?.authorizeUrl != null || settings?.deviceUrl != null
  return {
    ...known,
    issuer: isElsewhere ? null : known.issuer,
    authorizeUrl: isElsewhere ? (settings.authorizeUrl ?? null) : known.authorizeUrl,
    deviceUrl: isElsewhere ? (settings.deviceUrl ?? null) : known.deviceUrl,
    redirectPort: isElsewhere ? 0 : known.redirectPort,
    scope: scope ?? known.scope,
  }
}
