import type { Change } from '../../edit/edit.ts'
import type { At } from '../../pool/pool.ts'
import { Secret } from '../../vault/vault.ts'
import { instant } from '../sources/command.ts'
import { claimsOf, expiryOf, jsonObject, type TokenSet } from './tokens.ts'

/** How a tool keeps its login in a JSON file: reading it, and what to change in it after a refresh. */
export interface FileFormat {
  /** Throws an Error that quotes nothing when the document holds no login. */
  read(document: Readonly<Record<string, unknown>>): TokenSet
  changes(tokens: TokenSet, now: At, document: Readonly<Record<string, unknown>>): readonly Change[]
  /** The fixed API key that such a file may hold instead of a login; null when it holds none. */
  key(document: Readonly<Record<string, unknown>>): string | null
}

type Document = Readonly<Record<string, unknown>>

const codex: FileFormat = {
  read(document) {
    const tokens = object(document.tokens, 'tokens')
    const accessToken = required(tokens.access_token, 'tokens.access_token')
    const idToken = word(tokens.id_token)
    return {
      accessToken: new Secret(accessToken),
      refreshToken: secret(tokens.refresh_token),
      expiresAt: expiryOf(accessToken),
      accountId: word(tokens.account_id) ?? chatGptAccount(idToken ?? accessToken),
      scope: null,
      idToken: secret(idToken),
    }
  },
  changes: (tokens, now) => [
    { path: ['tokens', 'access_token'], value: tokens.accessToken.reveal() },
    ...(tokens.refreshToken ? [change(['tokens', 'refresh_token'], tokens.refreshToken)] : []),
    ...(tokens.idToken ? [change(['tokens', 'id_token'], tokens.idToken)] : []),
    ...(tokens.accountId === null
      ? []
      : [{ path: ['tokens', 'account_id'], value: tokens.accountId } satisfies Change]),
    { path: ['last_refresh'], value: new Date(now).toISOString() },
  ],
  key: (document) => word(document.OPENAI_API_KEY),
}

const claude: FileFormat = {
  read(document) {
    const login = object(document.claudeAiOauth, 'claudeAiOauth')
    const scopes = Array.isArray(login.scopes) ? login.scopes.filter((each) => typeof each === 'string') : []
    return {
      accessToken: new Secret(required(login.accessToken, 'claudeAiOauth.accessToken')),
      refreshToken: secret(login.refreshToken),
      expiresAt: millis(login.expiresAt),
      accountId: null,
      scope: scopes.length > 0 ? scopes.join(' ') : null,
      idToken: null,
      plan: word(login.subscriptionType),
    }
  },
  changes: (tokens) => [
    change(['claudeAiOauth', 'accessToken'], tokens.accessToken),
    ...(tokens.refreshToken ? [change(['claudeAiOauth', 'refreshToken'], tokens.refreshToken)] : []),
    ...(tokens.expiresAt === null
      ? []
      : [{ path: ['claudeAiOauth', 'expiresAt'], value: tokens.expiresAt } satisfies Change]),
  ],
  key: () => null,
}

const gemini: FileFormat = {
  read: (document) => ({
    accessToken: new Secret(required(document.access_token, 'access_token')),
    refreshToken: secret(document.refresh_token),
    expiresAt: millis(document.expiry_date),
    accountId: null,
    scope: word(document.scope),
    idToken: secret(document.id_token),
  }),
  changes: (tokens) => [
    change(['access_token'], tokens.accessToken),
    ...(tokens.refreshToken ? [change(['refresh_token'], tokens.refreshToken)] : []),
    ...(tokens.idToken ? [change(['id_token'], tokens.idToken)] : []),
    ...(tokens.expiresAt === null ? [] : [{ path: ['expiry_date'], value: tokens.expiresAt } satisfies Change]),
  ],
  key: () => null,
}

const known: Readonly<Record<string, FileFormat>> = { codex, claude, gemini }

const fields = ['access_token', 'refresh_token', 'expires_at', 'account_id', 'id_token', 'scope', 'api_key'] as const
type Field = (typeof fields)[number]
type Path = readonly [string, ...string[]]

/**
 * The format of that name: `codex`, `claude`, `gemini`, or `json:` with a mapping of fields to dotted paths, such as
 * `json:access_token=auth.token,refresh_token=auth.refresh,expires_at=auth.expiry` (fields: access_token, refresh_token,
 * expires_at, account_id, id_token, scope, or api_key for a fixed key). Throws an Error that says what is wrong.
 */
export function formatOf(name: string): FileFormat {
  const format = known[name]
  if (format) return format
  if (!name.startsWith('json:')) throw new Error(`the file format ${name} is unknown`)
  return mapped(mapping(name.slice('json:'.length)))
}

function mapping(text: string): ReadonlyMap<Field, Path> {
  const paths = new Map<Field, Path>()
  for (const pair of text.split(',')) {
    const [name = '', path = ''] = pair.split('=').map((each) => each.trim())
    const field = fields.find((each) => each === name)
    const [first, ...rest] = path.split('.')
    if (!field || !first || rest.includes('')) throw new Error(`${pair} maps no field (${fields.join(', ')}) to a path`)
    paths.set(field, [first, ...rest])
  }
  if (!paths.has('access_token') && !paths.has('api_key')) throw new Error('the mapping needs access_token or api_key')
  return paths
}

function mapped(paths: ReadonlyMap<Field, Path>): FileFormat {
  const at = (document: Document, field: Field): unknown => {
    const path = paths.get(field)
    return path === undefined
      ? null
      : path.reduce<unknown>((value, name) => (isObject(value) ? value[name] : null), document)
  }
  return {
    read(document) {
      const accessToken = required(at(document, 'access_token'), paths.get('access_token')?.join('.') ?? 'access_token')
      const end = at(document, 'expires_at')
      return {
        accessToken: new Secret(accessToken),
        refreshToken: secret(at(document, 'refresh_token')),
        expiresAt: end === null || end === undefined ? expiryOf(accessToken) : instant(end),
        accountId: word(at(document, 'account_id')),
        scope: word(at(document, 'scope')),
        idToken: secret(at(document, 'id_token')),
      }
    },
    changes(tokens, _now, document) {
      const values = { access_token: tokens.accessToken, refresh_token: tokens.refreshToken, id_token: tokens.idToken }
      const changes = Object.entries(values).flatMap(([field, value]) => {
        const path = paths.get(field as Field)
        return path && value ? [change(path, value)] : []
      })
      const end = paths.get('expires_at')
      return end && tokens.expiresAt !== null
        ? [...changes, { path: end, value: likeBefore(at(document, 'expires_at'), tokens.expiresAt) }]
        : changes
    },
    key: (document) => word(at(document, 'api_key')),
  }
}

/** The instant in the form that the file uses: seconds, milliseconds (also as text) or RFC 3339. */
function likeBefore(before: unknown, at: At): string | number {
  const number = Number(before)
  const form = Number.isFinite(number) && number > 0 && number < 1e11 ? Math.floor(at / 1000) : at
  if (typeof before !== 'string') return form
  return Number.isNaN(number) ? new Date(at).toISOString() : String(form)
}

/** The token set in the text of a login file; throws an Error that quotes nothing. */
export function readTokens(format: FileFormat, text: string): TokenSet {
  return format.read(jsonObject(text))
}

/** The ChatGPT account that an id token or access token was issued for; null when it does not say. */
export function chatGptAccount(token: string): string | null {
  return word(chatGptClaims(claimsOf(token))?.chatgpt_account_id)
}

/** What a token of OpenAI says of the ChatGPT account; null when it says nothing. */
export function chatGptClaims(claims: Document | null): Document | null {
  const claim = claims?.['https://api.openai.com/auth']
  return isObject(claim) ? claim : null
}

function isObject(value: unknown): value is Document {
  return typeof value === 'object' && value !== null
}

function object(value: unknown, name: string): Document {
  if (!isObject(value)) throw new Error(`it holds no login (no ${name})`)
  return value
}

function required(value: unknown, name: string): string {
  const found = word(value)
  if (found === null) throw new Error(`it holds no login (no ${name})`)
  return found
}

function millis(value: unknown): At | null {
  return typeof value === 'number' && value > 0 ? Math.round(value) : null
}

function secret(value: unknown): Secret | null {
  const found = word(value)
  return found === null ? null : new Secret(found)
}

function change(path: Path, value: Secret): Change {
  return { path, value: value.reveal() }
}

function word(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
