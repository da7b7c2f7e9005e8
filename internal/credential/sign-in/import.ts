import { join } from 'node:path'
import { BlockingFailed } from '../../blocking/blocking.ts'
import type { Provider } from '../../dialect/dialect.ts'
import { type At, Refusal } from '../../pool/pool.ts'
import { Secret } from '../../vault/vault.ts'
import { formatOf } from '../oauth/formats.ts'
import { jsonObject, type TokenSet } from '../oauth/tokens.ts'
import { readingFailed } from '../worker/reading.ts'
import type { FileCalls } from '../worker/tasks.ts'

const readMs = 5_000

/** The tools whose logins can be imported. */
export const importable = ['codex', 'claude', 'gemini'] as const
export type Tool = (typeof importable)[number]

const providers: Readonly<Record<Tool, Provider>> = { codex: 'codex', claude: 'anthropic', gemini: 'gemini' }

/** A login that a tool has left on this machine. */
export interface FoundLogin {
  readonly tool: Tool
  readonly path: string
  /** The dialect of the credential: an API key in a Codex file is one of `openai`. */
  readonly provider: Provider
  readonly auth: 'oauth' | 'api-key'
  readonly accountId: string | null
  /** When the access token ends. */
  readonly expiresAt: At | null
  readonly secret: { readonly tokens: TokenSet } | { readonly key: Secret }
}

/** Where the tool keeps its login: `CODEX_HOME` and `CLAUDE_CONFIG_DIR` are respected. `home` is the user's folder. */
export function loginPath(tool: Tool, env: Readonly<Record<string, string | undefined>>, home: string): string {
  switch (tool) {
    case 'codex':
      return join(env.CODEX_HOME || join(home, '.codex'), 'auth.json')
    case 'claude':
      return join(env.CLAUDE_CONFIG_DIR || join(home, '.claude'), '.credentials.json')
    case 'gemini':
      return join(home, '.gemini', 'oauth_creds.json')
  }
}

/** Reads the login in a tool's file; rejects with a Refusal that says where it looked and how to log in. */
export async function findLogin(files: FileCalls, tool: Tool, path: string): Promise<FoundLogin> {
  const found = { tool, path, provider: providers[tool] }
  const document = await documentAt(files, tool, path)
  const format = formatOf(tool)
  try {
    const tokens = format.read(document)
    const { accountId, expiresAt } = tokens
    return { ...found, auth: 'oauth', accountId, expiresAt, secret: { tokens } }
  } catch (error) {
    const key = format.key(document)
    if (key !== null)
      return {
        ...found,
        provider: 'openai',
        auth: 'api-key',
        accountId: null,
        expiresAt: null,
        secret: { key: new Secret(key) },
      }
    throw new Refusal('not-found', `${path}: ${error instanceof Error ? error.message : 'no login'}`, loginHint(tool))
  }
}

async function documentAt(files: FileCalls, tool: Tool, path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return jsonObject((await files.ask('read', { path }, { deadlineMs: readMs })).text)
  } catch (error) {
    if (!(error instanceof BlockingFailed)) throw new Refusal('failed', `${path}: it is not JSON`, loginHint(tool))
    const code = error.code === 'ENOENT' ? 'not-found' : 'failed'
    throw new Refusal(code, readingFailed(path, error), `${loginHint(tool)}, or name its file with --path`)
  }
}

function loginHint(tool: Tool): string {
  return tool === 'codex' ? 'log in with: codex login' : `log in with ${tool} first`
}
