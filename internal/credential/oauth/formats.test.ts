import { expect, test } from 'vitest'
import { editJson } from '../../edit/edit.ts'
import { Secret } from '../../vault/vault.ts'
import { formatOf, readTokens } from './formats.ts'
import { jsonObject, type TokenSet } from './tokens.ts'

const end = Date.UTC(2026, 0, 5, 15)
const jwt = (claims: object) => `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`
const access = jwt({ exp: end / 1000 })
const id = jwt({ 'https://api.openai.com/auth': { chatgpt_account_id: 'acc-of-claim' } })

function plain(tokens: TokenSet) {
  return {
    access: tokens.accessToken.reveal(),
    refresh: tokens.refreshToken?.reveal() ?? null,
    expiresAt: tokens.expiresAt,
    account: tokens.accountId,
    scope: tokens.scope,
  }
}

const files = [
  {
    name: 'codex takes the end from the access token',
    format: 'codex',
    document: {
      auth_mode: 'chatgpt',
      OPENAI_API_KEY: null,
      tokens: { id_token: id, access_token: access, refresh_token: 'r', account_id: 'acc' },
      last_refresh: 'x',
    },
    tokens: { access, refresh: 'r', expiresAt: end, account: 'acc', scope: null },
  },
  {
    name: 'codex finds the account in the id token when the file does not name it',
    format: 'codex',
    document: {
      tokens: { id_token: id, access_token: 'opaque', refresh_token: 'r', account_id: '' },
      last_refresh: 'x',
    },
    tokens: { access: 'opaque', refresh: 'r', expiresAt: null, account: 'acc-of-claim', scope: null },
  },
  {
    name: 'claude',
    format: 'claude',
    document: {
      claudeAiOauth: {
        accessToken: 'a',
        refreshToken: 'r',
        expiresAt: end,
        scopes: ['x', 'y'],
        subscriptionType: 'max',
      },
    },
    tokens: { access: 'a', refresh: 'r', expiresAt: end, account: null, scope: 'x y' },
  },
  {
    name: 'gemini',
    format: 'gemini',
    document: { access_token: 'a', refresh_token: 'r', scope: 's', token_type: 'Bearer', expiry_date: end },
    tokens: { access: 'a', refresh: 'r', expiresAt: end, account: null, scope: 's' },
  },
  {
    name: 'any JSON with a mapping',
    format: 'json:access_token=auth.token,refresh_token=auth.more.refresh,expires_at=auth.until,account_id=who',
    document: { auth: { token: 'a', more: { refresh: 'r' }, until: end / 1000 }, who: 'me' },
    tokens: { access: 'a', refresh: 'r', expiresAt: end, account: 'me', scope: null },
  },
]

test.each(files)('a login file is read: $name', ({ format, document, tokens }) => {
  expect(plain(readTokens(formatOf(format), JSON.stringify(document)))).toEqual(tokens)
})

test.each(files)(
  'a rewritten login file holds the new tokens and everything else as before: $name',
  ({ format, document }) => {
    const text = JSON.stringify({ theirs: { deep: [1, 2.5] }, ...document }, null, 2)
    const before = readTokens(formatOf(format), text)
    const fresh = jwt({ exp: end / 1000 + 3600 })
    const next = {
      ...before,
      accessToken: new Secret(fresh),
      refreshToken: new Secret('r2'),
      expiresAt: end + 3_600_000,
    }
    const after = editJson(text, formatOf(format).changes(next, end, jsonObject(text)))
    expect(plain(readTokens(formatOf(format), after))).toEqual({
      ...plain(before),
      access: fresh,
      refresh: 'r2',
      expiresAt: end + 3_600_000,
    })
    const strip = (json: string) =>
      json.replaceAll(/"(r|r2|a|opaque|x||acc-of-claim|h\.[^"]+|2026-[^"]+)"|17676\d+/g, '…')
    expect(strip(after)).toBe(strip(text))
  },
)

test('codex notes when it was refreshed', () => {
  const text = JSON.stringify(files[0]?.document)
  const tokens = readTokens(formatOf('codex'), text)
  expect(JSON.parse(editJson(text, formatOf('codex').changes(tokens, end, jsonObject(text)))).last_refresh).toBe(
    '2026-01-05T15:00:00.000Z',
  )
})

test.each([
  { name: 'seconds', before: 1_700_000_000, after: end / 1000 },
  { name: 'milliseconds', before: 1_700_000_000_000, after: end },
  { name: 'RFC 3339', before: '2025-01-01T00:00:00Z', after: '2026-01-05T15:00:00.000Z' },
  { name: 'seconds as text', before: '1700000000', after: String(end / 1000) },
])('a mapped file keeps the form of its expiry: $name', ({ before, after }) => {
  const format = formatOf('json:access_token=a,expires_at=e')
  const document = { a: 'x', e: before }
  const tokens = { ...format.read(document), expiresAt: end }
  expect(format.changes(tokens, 0, document).find(({ path }) => path[0] === 'e')?.value).toBe(after)
})

test('a codex file may hold an API key instead of a login', () => {
  expect(formatOf('codex').key({ OPENAI_API_KEY: 'sk-1', tokens: null })).toBe('sk-1')
  expect(() => readTokens(formatOf('codex'), '{"OPENAI_API_KEY":"sk-1","tokens":null}')).toThrow('it holds no login')
})

test.each(['{"tokens":{"access_token":', '[]', '{"tokens":{}}', '{"tokens":{"access_token":7}}'])(
  'a file without a login is refused without quoting it: %s',
  (text) => {
    expect(() => readTokens(formatOf('codex'), text)).toThrow(
      /^it (is not JSON|is not a JSON object|holds no login.*)$/,
    )
  },
)

test.each(['xml', 'json:', 'json:token=a', 'json:refresh_token=a', 'json:access_token=a..b', 'json:access_token'])(
  'a format that cannot work is refused: %s',
  (name) => {
    expect(() => formatOf(name)).toThrow()
  },
)
