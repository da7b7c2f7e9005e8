import { z } from 'zod'
import { Refusal } from '../pool/pool.ts'
import type { OAuthSettings, Source } from '../store/store.ts'
import { Secret, unquoted } from '../vault/vault.ts'
import { checkTokenUrl } from './address.ts'
import { credentialPackage } from './lazily.ts'
import type { Call } from './verb.ts'

const text = z.string().min(1).max(4096)

/** A secret that is given as text and is a Secret from here on. */
export const givenSecret = z
  .string()
  .max(64 * 1024)
  .transform((secret) => new Secret(unquoted(secret)))

/** A path that means the same to whoever reads it. */
export const absolutePath = text.regex(/^(\/|[A-Za-z]:[\\/])/, 'expected an absolute path')

/** Where the secret of a new credential comes from. */
export const source = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('vault'), secret: givenSecret }),
  z.strictObject({
    kind: z.literal('env'),
    variable: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*(#[1-9]\d*)?$/, 'expected the name of an environment variable'),
    /** A sealed copy is kept, which serves when the variable is not set. */
    kept: z.boolean().optional(),
  }),
  z.strictObject({
    kind: z.literal('file'),
    path: absolutePath,
    /** `key` (the first line), the name of a tool, or `json:` with a mapping of fields to dotted paths. */
    format: text.default('key'),
  }),
  z.strictObject({ kind: z.literal('command'), command: text }),
])
export type NewSource = z.output<typeof source>

/** Which authorization server refreshes a login; what is left out comes from the configuration or the tool. */
export const login = z.strictObject({
  tokenUrl: text.optional(),
  clientId: text.optional(),
  clientSecretFile: absolutePath.optional(),
  scope: text.optional(),
})
export type NewLogin = z.output<typeof login>

/** The source as it is recorded: a reference, never the secret. */
export function recorded(source: NewSource): Source {
  if (source.kind === 'vault') return { kind: 'vault' }
  if (source.kind !== 'env') return source
  const { kind, variable, kept = false } = source
  return { kind, variable, ...(kept ? { kept } : {}) }
}

/** Whether the source holds tokens that are refreshed, rather than a fixed key. */
export function isLogin(source: NewSource): boolean {
  if (source.kind !== 'file' || source.format === 'key') return false
  return !source.format.startsWith('json:') || /[:,]\s*access_token\s*=/.test(source.format)
}

/** The settings of a login in that source; refuses a token URL that would give the tokens away. */
export function loginSettings(call: Call, source: NewSource, given: NewLogin | undefined): OAuthSettings {
  const { tokenUrl, clientId, clientSecretFile, scope } = given ?? {}
  const tool = source.kind === 'file' && !source.format.startsWith('json:') ? source.format : 'oauth'
  return {
    login: tool,
    tokenUrl: tokenUrl === undefined ? null : checkTokenUrl(tokenUrl, call.config().upstream.allowPrivate),
    clientId: clientId ?? null,
    clientSecretFile: clientSecretFile ?? null,
    scope: scope ?? null,
  }
}

/** Refuses a format that nobody can read and a command that cannot be taken apart; undefined: nothing to find out. */
export function checkSource(source: NewSource): Promise<void> | undefined {
  if (source.kind === 'command') return understood((credentials) => void credentials.splitCommand(source.command))
  if (source.kind === 'file' && source.format !== 'key')
    return understood((credentials) => void credentials.formatOf(source.format))
  return undefined
}

async function understood(read: (credentials: Awaited<ReturnType<typeof credentialPackage>>) => void): Promise<void> {
  const credentials = await credentialPackage()
  try {
    read(credentials)
  } catch (error) {
    throw new Refusal('invalid', error instanceof Error ? error.message : 'the source cannot be understood')
  }
}
