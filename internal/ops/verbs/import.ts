import { z } from 'zod'
import type { FoundLogin, Tool } from '../../credential/credential.ts'
import { isLoginToken, tokenEndpoints } from '../../dialect/dialect.ts'
import { Refusal } from '../../pool/pool.ts'
import type { CredentialRecord, Write } from '../../store/store.ts'
import { enrol, recordOf, sealedSecret } from '../enrol.ts'
import { credentialNamed } from '../find.ts'
import { credentialPackage } from '../lazily.ts'
import { oneOf } from '../names.ts'
import { maybeInstant } from '../present.ts'
import { absolutePath } from '../source.ts'
import { tools } from '../tools.ts'
import { type Call, flag, verb } from '../verb.ts'
import { type CredentialShape, credentialShape } from './credentials.ts'

/** A Codex file may hold an API key instead of a login. */
const keyFormat = 'json:api_key=OPENAI_API_KEY'

/** A login that was imported. */
export interface ImportShape {
  name: string
  tool: string
  path: string
  provider: string
  /** `shared`: the tool and spillway refresh the same file; `copied`: spillway has tokens of its own. */
  kept: 'shared' | 'copied'
  /** When the access token of now ends; null for a key, or when nobody says. */
  expiresAt: string | null
  /** false: it had been imported before. */
  changed: boolean
  /** What the operator should know. */
  warnings: string[]
}

const args = z.strictObject({
  tool: z.string(),
  /** The login's file; where the tool keeps it when absent. */
  path: absolutePath.optional(),
  /** Where the caller's tools keep their files: `HOME`, `CODEX_HOME`, `CLAUDE_CONFIG_DIR`; absent: nowhere special. */
  home: absolutePath.optional(),
  codexHome: absolutePath.optional(),
  claudeConfigDir: absolutePath.optional(),
  name: z.string().optional(),
  copy: flag.default(false),
  tokenUrl: z.string().min(1).max(4096).optional(),
})
type Args = z.output<typeof args>

const credImport = verb({
  method: 'POST',
  path: '/v1/credentials/import',
  inTurn: true,
  args,
  async run(call, given): Promise<ImportShape> {
    const tool = oneOf('tool whose login can be imported', given.tool, tools)
    const path = await placeOf(tool, given)
    const found = await call.credentials.findLogin(tool, path)
    checkRefreshable(found)
    const twin = sharing(call, path)
    if (twin) return again(call, twin, { found, given })
    const name = given.name ?? freeName(call, tool)
    const { record, writes } = await made(call, found, { name, given })
    await enrol(call, record, writes)
    return shape(call, { record, found, changed: true })
  },
})

async function placeOf(tool: Tool, { path, home, codexHome, claudeConfigDir }: Args): Promise<string> {
  if (path !== undefined) return path
  if (home === undefined) throw new Refusal('invalid', 'home: is missing (string)', 'or name the file with path')
  const { loginPath } = await credentialPackage()
  return loginPath(tool, { CODEX_HOME: codexHome, CLAUDE_CONFIG_DIR: claudeConfigDir }, home)
}

/** A login that cannot be refreshed would be a credential for an hour, unless its token lives for a year. */
function checkRefreshable({ secret, path, tool }: FoundLogin): void {
  if ('key' in secret || secret.tokens.refreshToken !== null) return
  if (tool === 'claude' && isLoginToken(secret.tokens.accessToken.reveal())) return
  throw new Refusal(
    'conflict',
    `${path}: the login has no refresh token, so it ends with its access token`,
    `log in with ${tool} again`,
  )
}

/** The credential that shares this file already. */
function sharing(call: Call, path: string): CredentialRecord | undefined {
  return call.engine
    .credentials()
    .map(({ record }) => record)
    .find(({ source }) => source.kind === 'file' && source.path === path)
}

function again(
  call: Call,
  record: CredentialRecord,
  { found, given }: { found: FoundLogin; given: Args },
): ImportShape {
  const isAsAsked = !given.copy && (given.name ?? record.name) === record.name
  if (isAsAsked && given.tokenUrl !== undefined && given.tokenUrl !== record.oauth?.tokenUrl)
    throw new Refusal(
      'conflict',
      `${record.name} shares ${found.path} already, and is refreshed at ${record.oauth?.tokenUrl ?? 'the usual place'}`,
      `spillway cred remove ${record.name}, then import it again with --token-url`,
    )
  if (isAsAsked) return shape(call, { record, found, changed: false })
  throw new Refusal(
    'conflict',
    `${found.path} is shared by ${record.name} already`,
    'two credentials of one login would share its limits and log each other out',
  )
}

/** `codex`, or `codex-2` and so on where that is taken. */
function freeName(call: Call, tool: Tool): string {
  const taken = new Set(call.engine.credentials().map(({ record }) => record.name))
  for (let number = 1; ; number++) {
    const name = number === 1 ? tool : `${tool}-${number}`
    if (!taken.has(name)) return name
  }
}

/** The record of the login, and the rows with its secret where it goes into the vault. */
async function made(
  call: Call,
  { tool, path, provider, secret }: FoundLogin,
  { name, given }: { name: string; given: Args },
): Promise<{ record: CredentialRecord; writes: readonly Write[] }> {
  const { copy, tokenUrl } = given
  const source = { kind: 'file' as const, path, format: 'key' in secret ? keyFormat : tool }
  const login = tokenUrl === undefined ? undefined : { tokenUrl }
  const shared = recordOf(call, { name, provider, source, login })
  if (!copy) return { record: shared, writes: [] }
  const record = { ...shared, source: { kind: 'vault' as const } }
  if ('key' in secret) {
    const row = sealedSecret(call, { owner: record.id, generation: 1 }, secret.key)
    return { record, writes: [{ put: 'secret', row }] }
  }
  const { tokenWrites } = await credentialPackage()
  const first = { id: record.id, generation: 1, tokens: secret.tokens, expected: null }
  return { record, writes: tokenWrites(call.vault, first) }
}

function shape(
  call: Call,
  { record, found, changed }: { record: CredentialRecord; found: FoundLogin; changed: boolean },
): ImportShape {
  const copied = record.source.kind === 'vault'
  const one: CredentialShape = credentialShape(call, credentialNamed(call.engine, record.name))
  const racing =
    `${found.path} has the same refresh token: spillway and ${found.tool} will race to refresh it, and whoever ` +
    'comes second is logged out; import it without --copy to share it'
  return {
    name: record.name,
    tool: found.tool,
    path: found.path,
    provider: record.provider,
    kept: copied ? 'copied' : 'shared',
    expiresAt: maybeInstant(found.expiresAt),
    changed,
    warnings: [
      ...(copied && record.auth === 'oauth' ? [racing] : []),
      ...(one.problem === null ? [] : [one.problem]),
      ...lacking(call, record),
    ],
  }
}

/** What the configuration has to say before the login can be refreshed. */
function lacking(call: Call, { auth, oauth }: CredentialRecord): string[] {
  const tool = tools.find((each) => each === oauth?.login)
  if (auth !== 'oauth' || tool === undefined) return []
  const { clientId, needsClientSecret } = tokenEndpoints[tool]
  const set: { clientId: string | null; clientSecretFile?: string | null } = call.config().oauth[tool]
  const missing = [
    ...(clientId === null && set.clientId === null ? [`oauth.${tool}.clientId`] : []),
    ...(needsClientSecret && !set.clientSecretFile ? [`oauth.${tool}.clientSecretFile`] : []),
  ]
  return missing.length === 0 ? [] : [`it cannot be refreshed before the configuration has ${missing.join(' and ')}`]
}

export const importVerbs = { credImport }
