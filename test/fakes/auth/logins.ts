import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { answer, type Behaviour, happy } from '../upstream/upstream.ts'
import type { AuthServer } from './auth-server.ts'

/** What a login at the fake authorization server gave. */
export interface Given {
  readonly accessToken: string
  readonly refreshToken: string
  readonly expiresAt?: number
}

/** Writes `~/.codex/auth.json` as Codex does after a login or a refresh, in one step. */
export function writeCodexLogin(
  path: string,
  { accessToken, refreshToken }: Given,
  accountId = 'acc-1',
  email?: string,
): void {
  const claims = { email, 'https://api.openai.com/auth': { chatgpt_plan_type: 'plus' } }
  const payload = email === undefined ? {} : claims
  const tokens = {
    id_token: `h.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.s`,
    access_token: accessToken,
    refresh_token: refreshToken,
    account_id: accountId,
  }
  write(path, { auth_mode: 'chatgpt', OPENAI_API_KEY: null, tokens, last_refresh: new Date().toISOString() })
}

/** Writes `~/.claude/.credentials.json` as Claude Code does. */
export function writeClaudeLogin(path: string, { accessToken, refreshToken, expiresAt }: Given): void {
  const scopes = ['user:inference', 'user:profile']
  write(path, { claudeAiOauth: { accessToken, refreshToken, expiresAt, scopes, subscriptionType: 'max' } })
}

/** Writes `~/.gemini/oauth_creds.json` as Gemini CLI does. */
export function writeGeminiLogin(path: string, { accessToken, refreshToken, expiresAt }: Given): void {
  write(path, {
    access_token: accessToken,
    refresh_token: refreshToken,
    scope: 'https://www.googleapis.com/auth/cloud-platform',
    token_type: 'Bearer',
    expiry_date: expiresAt,
  })
}

/** The tokens that lie in a Codex file now. */
export function codexTokens(path: string): { access_token: string; refresh_token: string; account_id: string } {
  return JSON.parse(readFileSync(path, 'utf8')).tokens
}

/** An upstream that serves whoever shows a live access token of that server, or one of the keys. */
export function guardedBy(auth: AuthServer, keys: readonly string[] = []): Behaviour {
  return {
    play(call) {
      const shown = call.request.credential ?? ''
      return (auth.accepts(shown) || keys.includes(shown) ? happy : expired).play(call)
    },
  }
}

/** What codex and anthropic say of an access token that has ended. */
export const expired = answer(
  401,
  {},
  { type: 'error', error: { type: 'authentication_error', message: 'OAuth token has expired' } },
)

function write(path: string, document: object): void {
  writeFileSync(`${path}.new`, JSON.stringify(document, null, 2), { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

/** Lets a fake clock go as a real one does until something is done that waits for both, the time and real I/O. */
export async function inTime<T>(clock: { advance(ms: number): Promise<void> }, work: Promise<T>): Promise<T> {
  let over = false
  const ended = work.finally(() => {
    over = true
  })
  ended.catch(() => {})
  while (!over) {
    await Promise.race([ended.catch(() => {}), new Promise((resolve) => setTimeout(resolve, 25))])
    if (!over) await clock.advance(25)
  }
  return ended
}
