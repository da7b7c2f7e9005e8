import { Agent, buildConnector, type Dispatcher, request } from 'undici'
import type { Clock } from '../../clock/clock.ts'
import { classifyTokenError } from '../../dialect/dialect.ts'
import type { Outbound } from '../../outbound/outbound.ts'
import { Secret } from '../../vault/vault.ts'
import { type Endpoint, isKnownLogin } from './endpoint.ts'
import { emailIn, expiryOf, jsonObject, type TokenSet } from './tokens.ts'

/** How long an authorization server may take; shorter than the time for which a refresh holds its lock. */
export const grantMs = 20_000
const unreadMs = 1_000
const connectMs = 8_000
const maxBodyBytes = 256 * 1024

/** What came of presenting a refresh token. */
export type GrantResult =
  | { readonly kind: 'granted'; readonly tokens: TokenSet }
  /** The token is dead, or (`raced`) somebody else has used it. */
  | { readonly kind: 'refused'; readonly raced: boolean }
  /** Nothing was said about the token. */
  | { readonly kind: 'passing'; readonly why: string; readonly retryAfterMs: number | null }
  /** It was sent, and no readable answer came: nobody knows whether the token has a successor. */
  | { readonly kind: 'lost'; readonly why: string }

/** Presents a refresh token once. Never rejects. The connection is new, so that a stale one cannot lose the request. */
export async function grant(
  clock: Clock,
  asked: {
    readonly endpoint: Endpoint
    readonly fields: Readonly<Record<string, string>>
    readonly before: TokenSet
    readonly outbound: Outbound
  },
): Promise<GrantResult> {
  const { endpoint, fields, before, outbound } = asked
  const wire = { connected: false }
  const agent = new Agent({ connect: noticing(wire, endpoint.url, outbound), pipelining: 0, allowH2: false })
  const deadline = new AbortController()
  let cancel = clock.after(grantMs, () => {
    // After a pause of the whole process the answer may lie here unread: it comes first.
    cancel = clock.after(unreadMs, () => deadline.abort())
  })
  try {
    const response = await request(endpoint.url, {
      dispatcher: agent,
      method: 'POST',
      headers: { accept: 'application/json', 'content-type': contentTypes[endpoint.encoding] },
      body: endpoint.encoding === 'json' ? JSON.stringify(fields) : new URLSearchParams(fields).toString(),
      signal: deadline.signal,
      headersTimeout: 0,
      bodyTimeout: 0,
    })
    const body = await bodyOf(response)
    if (response.statusCode !== 200) return refusal(endpoint, response, body)
    return { kind: 'granted', tokens: granted(body, before, clock.now()) }
  } catch (error) {
    const why = deadline.signal.aborted ? `no answer within ${grantMs / 1000} s` : reasonOf(error)
    return wire.connected ? { kind: 'lost', why } : { kind: 'passing', why, retryAfterMs: null }
  } finally {
    cancel()
    void agent.destroy()
  }
}

const contentTypes = { json: 'application/json', form: 'application/x-www-form-urlencoded' } as const

/** A connector that notes when a connection stands: before that, no byte of the request can have left. */
function noticing(wire: { connected: boolean }, url: string, outbound: Outbound): buildConnector.connector {
  const connect = outbound.connector(new URL(url), { timeout: connectMs }) ?? buildConnector({ timeout: connectMs })
  return (options, done) =>
    connect(options, (...outcome) => {
      if (outcome[0] === null) wire.connected = true
      done(...outcome)
    })
}

async function bodyOf(response: Dispatcher.ResponseData): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response.body) {
    const bytes = Buffer.from(chunk)
    length += bytes.length
    if (length > maxBodyBytes) throw new Error('the answer is too long')
    chunks.push(bytes)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function refusal(endpoint: Endpoint, response: Dispatcher.ResponseData, body: string): GrantResult {
  // An unknown server speaks the standard's codes, as Google's does.
  const login = isKnownLogin(endpoint.login) ? endpoint.login : 'gemini'
  const meaning = classifyTokenError(login, response.statusCode, body)
  if (meaning !== 'transient') return { kind: 'refused', raced: meaning === 'raced' }
  const seconds = Number(response.headers['retry-after'])
  const retryAfterMs = seconds > 0 ? Math.min(seconds, 3600) * 1000 : null
  return { kind: 'passing', why: `HTTP status ${response.statusCode}`, retryAfterMs }
}

/** What the answer did not name stays as it was, the refresh token included (RFC 6749 section 6). */
function granted(body: string, before: TokenSet, now: number): TokenSet {
  const fields = jsonObject(body)
  const accessToken = word(fields.access_token)
  if (accessToken === null) throw new Error('the answer has no access token')
  const refreshToken = word(fields.refresh_token)
  const idToken = word(fields.id_token)
  const seconds = Number(fields.expires_in)
  return {
    accessToken: new Secret(accessToken),
    refreshToken: refreshToken === null ? before.refreshToken : new Secret(refreshToken),
    expiresAt: seconds > 0 ? now + seconds * 1000 : expiryOf(accessToken),
    accountId: before.accountId,
    scope: word(fields.scope) ?? before.scope,
    idToken: idToken === null ? before.idToken : new Secret(idToken),
    account: emailIn(fields.account) ?? before.account ?? null,
    plan: before.plan ?? null,
  }
}

function word(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  return error instanceof Error ? error.message : 'the request failed'
}
