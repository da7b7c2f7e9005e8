import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../clock/clock.ts'
import { type FileCalls, fileCalls } from '../worker/tasks.ts'
import { findLogin, loginPath, type Tool } from './import.ts'

let folder = ''
let files: FileCalls
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-import-'))
  files = fileCalls(systemClock())
})
afterEach(async () => {
  await files.stop()
  rmSync(folder, { recursive: true })
})

const places: { tool: Tool; env: Record<string, string>; path: string }[] = [
  { tool: 'codex', env: {}, path: '/home/me/.codex/auth.json' },
  { tool: 'codex', env: { CODEX_HOME: '/c' }, path: '/c/auth.json' },
  { tool: 'claude', env: {}, path: '/home/me/.claude/.credentials.json' },
  { tool: 'claude', env: { CLAUDE_CONFIG_DIR: '/d' }, path: '/d/.credentials.json' },
  { tool: 'gemini', env: { CODEX_HOME: '/c' }, path: '/home/me/.gemini/oauth_creds.json' },
]
test.each(places)('the login of $tool is looked for at $path', ({ tool, env, path }) => {
  expect(loginPath(tool, env, '/home/me')).toBe(path)
})

const logins = [
  {
    tool: 'codex' as const,
    text: '{"tokens":{"access_token":"a","refresh_token":"r","account_id":"acc"}}',
    found: { provider: 'codex', auth: 'oauth', accountId: 'acc' },
  },
  {
    tool: 'codex' as const,
    text: '{"OPENAI_API_KEY":"sk-1","tokens":null}',
    found: { provider: 'openai', auth: 'api-key', accountId: null },
  },
  {
    tool: 'claude' as const,
    text: '{"claudeAiOauth":{"accessToken":"a","refreshToken":"r","expiresAt":1767625200000}}',
    found: { provider: 'anthropic', auth: 'oauth', expiresAt: 1767625200000 },
  },
  {
    tool: 'gemini' as const,
    text: '{"access_token":"a","refresh_token":"r"}',
    found: { provider: 'gemini', auth: 'oauth', expiresAt: null },
  },
]
test.each(logins)('what $tool left is found: $found.provider with $found.auth', async ({ tool, text, found }) => {
  const path = join(folder, 'file')
  writeFileSync(path, text)
  expect(await findLogin(files, tool, path)).toMatchObject({ tool, path, ...found })
})

test.each([
  { name: 'no file', text: null, code: 'not-found', message: 'does not exist' },
  { name: 'no JSON', text: 'sk-secret', code: 'failed', message: 'it is not JSON' },
  { name: 'no login', text: '{"x":"sk-secret"}', code: 'not-found', message: 'it holds no login' },
])('with $name it is refused with what to do, and nothing is quoted', async ({ text, code, message }) => {
  const path = join(folder, 'file')
  if (text !== null) writeFileSync(path, text)
  const found = findLogin(files, 'codex', path)
  await expect(found).rejects.toMatchObject({ code, message: expect.stringContaining(message) })
  await expect(found).rejects.toMatchObject({ hint: expect.stringContaining('codex login') })
  await expect(found).rejects.not.toMatchObject({ message: expect.stringContaining('sk-secret') })
})
