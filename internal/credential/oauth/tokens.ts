import { createHash } from 'node:crypto'
import type { At } from '../../pool/pool.ts'
import { Secret } from '../../vault/vault.ts'

/** What a login gave: an access token that ends, and a refresh token that buys the next one. */
export interface TokenSet {
  readonly accessToken: Secret
  readonly refreshToken: Secret | null
  /** null: nobody says when the access token ends. */
  readonly expiresAt: At | null
  /** The account that the upstream wants to hear besides (`chatgpt-account-id`). */
  readonly accountId: string | null
  /** The scopes that were granted, separated by blanks. */
  readonly scope: string | null
  readonly idToken: Secret | null
  /** The e-mail address of the account, and its plan, where no id token names them. */
  readonly account?: string | null
  readonly plan?: string | null
}

/** A word that is the same only for the same secret and says nothing of it. */
export function digestOf(secret: Secret): string {
  return createHash('sha256').update(secret.reveal()).digest('base64url')
}

/** Whether two token sets hold the same access and refresh token. */
export function sameTokens(one: TokenSet, other: TokenSet): boolean {
  return (
    one.accessToken.reveal() === other.accessToken.reveal() &&
    one.refreshToken?.reveal() === other.refreshToken?.reveal()
  )
}

/** The token set as the text that the vault seals. */
export function tokensToText(tokens: TokenSet): string {
  return JSON.stringify({
    accessToken: tokens.accessToken.reveal(),
    refreshToken: tokens.refreshToken?.reveal() ?? null,
    expiresAt: tokens.expiresAt,
    accountId: tokens.accountId,
    scope: tokens.scope,
    idToken: tokens.idToken?.reveal() ?? null,
    account: tokens.account ?? null,
    plan: tokens.plan ?? null,
  })
}

/** Reads what `tokensToText` wrote; throws an Error that does not quote it. */
export function tokensFromText(text: string): TokenSet {
  const fields = jsonObject(text)
  const accessToken = word(fields.accessToken)
  if (accessToken === null) throw new Error('the sealed token set has no access token')
  const refreshToken = word(fields.refreshToken)
  const idToken = word(fields.idToken)
  return {
    accessToken: new Secret(accessToken),
    refreshToken: refreshToken === null ? null : new Secret(refreshToken),
    expiresAt: typeof fields.expiresAt === 'number' ? fields.expiresAt : null,
    accountId: word(fields.accountId),
    scope: word(fields.scope),
    idToken: idToken === null ? null : new Secret(idToken),
    account: word(fields.account),
    plan: word(fields.plan),
  }
}

/** The fields of a JSON object's text; throws an Error that does not quote it. */
export function jsonObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(text.replace(/^\ufeff/, ''))
  } catch {
    // The parser's message quotes the text, which holds secrets.
    throw new Error('it is not JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('it is not a JSON object')
  return { ...value }
}

/** The claims of a JSON Web Token, without any check of its signature; null when it is none. */
export function claimsOf(token: string): Readonly<Record<string, unknown>> | null {
  const [, payload, signature] = token.split('.')
  if (payload === undefined || signature === undefined) return null
  try {
    return jsonObject(Buffer.from(payload, 'base64url').toString('utf8'))
  } catch {
    return null
  }
}

/** The e-mail address in what Anthropic's token endpoint says of the account; null when it says nothing. */
export function emailIn(account: unknown): string | null {
  if (typeof account !== 'object' || account === null || !('email_address' in account)) return null
  return word(account.email_address)
}

/** When a JSON Web Token ends (`exp`), in ms; null when it does not say. */
export function expiryOf(token: string): At | null {
  const exp = claimsOf(token)?.exp
  return typeof exp === 'number' && exp > 0 ? exp * 1000 : null
}

function word(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
