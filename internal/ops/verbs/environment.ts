import { z } from 'zod'
import type { Shape } from '../../dialect/dialect.ts'
import type { PoolStatus } from '../../engine/engine.ts'
import { Refusal } from '../../pool/pool.ts'
import type { KeyRecord } from '../../store/store.ts'
import { poolNamed } from '../find.ts'
import { dialectFor } from '../names.ts'
import { type Call, known, verb } from '../verb.ts'
import { bareKey, keyNamed, localKeyName } from './keys.ts'

/** What points an agent at a pool. */
export interface EnvironmentShape {
  pool: string
  provider: string
  /** The client key's name, and whether `variables` carry it or a placeholder. */
  key: string
  keyKnown: boolean
  variables: { name: string; value: string }[]
  /** What the variables alone do not do, as lines of a remark. */
  notes: string[]
}

/** Stands where a key belongs that only its owner has. */
const placeholder = 'PUT-THE-CLIENT-KEY-HERE'

export const environmentVerbs = {
  env: verb({
    method: 'GET',
    path: '/v1/pools/:name/env',
    args: z.strictObject({ name: known, key: known.optional() }),
    secret: true,
    async run(call, { name, key }): Promise<EnvironmentShape> {
      const pool = poolNamed(call.engine, name)
      const record = key === undefined ? localKey(call) : keyNamed(call, key)
      const bare = await bareKey(call, record)
      const value = bare?.reveal() ?? placeholder
      const { variables, notes } = pointing(call, pool, value)
      return {
        pool: name,
        provider: pool.record.provider,
        key: record.name,
        keyKnown: bare !== null,
        variables: Object.entries(variables).map(([variable, text]) => ({ name: variable, value: text })),
        notes:
          bare === null
            ? [`the key ${record.name} is kept nowhere: put it in place of ${placeholder}`, ...notes]
            : notes,
      }
    },
  }),
}

function localKey(call: Call): KeyRecord {
  const found = call.keys.list().find((key) => key.name === localKeyName && key.revokedAt === null)
  if (found) return found
  throw new Refusal(
    'not-found',
    `there is no key ${localKeyName}, which is taken when none is named`,
    'name another with --key NAME; spillway key create NAME makes one',
  )
}

interface Pointing {
  readonly variables: Readonly<Record<string, string>>
  readonly notes: string[]
}

/** What the clients of each provider and shape read (their documentation says so). */
function pointing(call: Call, pool: PoolStatus, key: string): Pointing {
  const root = `${reachable(call.origin())}/${pool.record.name}`
  const dialect = dialectFor(pool.record)
  switch (dialect.provider) {
    case 'codex':
      return { variables: { SPILLWAY_KEY: key }, notes: codexLines(root, 'SPILLWAY_KEY') }
    case 'azure':
      return { variables: { AZURE_OPENAI_ENDPOINT: root, AZURE_OPENAI_API_KEY: key }, notes: [] }
    case 'generic':
      return {
        variables: { SPILLWAY_BASE_URL: root, SPILLWAY_KEY: key },
        notes: ['Clients send the key as "Authorization: Bearer $SPILLWAY_KEY" or in x-api-key.'],
      }
    default:
      return pointingAt[dialect.shape](root, key, version(pool))
  }
}

/** What the clients of each shape read; `version` is what they expect behind the address. */
const pointingAt: Readonly<Record<Shape, (root: string, key: string, version: string) => Pointing>> = {
  openai(root, key, version) {
    const base = root + version
    return { variables: { OPENAI_BASE_URL: base, OPENAI_API_KEY: key }, notes: codexLines(base, 'OPENAI_API_KEY') }
  },
  // Claude Code takes ANTHROPIC_AUTH_TOKEN as it is, but asks a person about ANTHROPIC_API_KEY, which most other
  // tools need. Both must be set, or a key of the upstream that is in the environment already would be sent here.
  anthropic: (root, key) => ({
    variables: { ANTHROPIC_BASE_URL: root, ANTHROPIC_AUTH_TOKEN: key, ANTHROPIC_API_KEY: key },
    notes: ['Claude Code needs the first two only; if it warns of a conflict, unset ANTHROPIC_API_KEY for it.'],
  }),
  gemini: (root, key) => ({
    variables: { GOOGLE_GEMINI_BASE_URL: root, GEMINI_API_KEY: key },
    notes: ['GOOGLE_API_KEY wins over GEMINI_API_KEY where both are set.'],
  }),
}

/** An origin that listens on all interfaces, as this machine's own programs reach it. */
function reachable(origin: string): string {
  return origin.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:')
}

/** `/v1` where the upstream's base has no version itself: the clients expect one in their base. */
function version(pool: PoolStatus): string {
  const base = pool.record.upstream ?? dialectFor(pool.record).defaultBaseUrl ?? ''
  return /\/v\d+[a-z0-9]*(?:\/|$)/.test(base) ? '' : '/v1'
}

/** Codex reads its provider from a file; the built-in one cannot be pointed elsewhere. */
function codexLines(base: string, variable: string): string[] {
  return [
    'Codex reads this from ~/.codex/config.toml instead:',
    '',
    'model_provider = "spillway"',
    '',
    '[model_providers.spillway]',
    'name = "spillway"',
    `base_url = "${base}"`,
    `env_key = "${variable}"`,
    'wire_api = "responses"',
  ]
}
