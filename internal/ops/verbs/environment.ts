import { z } from 'zod'
import type { Shape } from '../../dialect/dialect.ts'
import type { PoolStatus } from '../../engine/engine.ts'
import { Refusal } from '../../pool/pool.ts'
import type { KeyRecord } from '../../store/store.ts'
import { poolNamed } from '../find.ts'
import { dialectFor } from '../names.ts'
import { type Call, known, verb } from '../verb.ts'
import { bareKey, keyNamed, localKeyName, unkept } from './keys.ts'

/** What points an agent at a pool. */
export interface EnvironmentShape {
  pool: string
  provider: string
  shape: string
  /** What clients of this shape take as their base URL. */
  baseUrl: string
  /** The client key's name, and whether `variables` carry it or a placeholder. */
  key: string
  keyKnown: boolean
  variables: { name: string; value: string }[]
  /** Variables that must not be set beside these. */
  unset: string[]
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
      if (bare === null && key === undefined) throw unkept(record.name)
      const { baseUrl, variables, unset, notes } = pointing(call, pool, bare?.reveal() ?? placeholder)
      return {
        pool: name,
        provider: pool.record.provider,
        shape: dialectFor(pool.record).shape,
        baseUrl,
        key: record.name,
        keyKnown: bare !== null,
        variables: Object.entries(variables).map(([variable, text]) => ({ name: variable, value: text })),
        unset: [...unset],
        notes:
          bare === null
            ? [`the key ${record.name} is kept nowhere: put it in place of ${placeholder}`, ...notes]
            : notes,
      }
    },
  }),
}

function localKey(call: Call): KeyRecord {
  const all = call.keys.list().filter((key) => key.name === localKeyName)
  const found = all.find(({ revokedAt }) => revokedAt === null)
  if (found) return found
  throw new Refusal(
    'conflict',
    `the client key ${localKeyName}, which is taken when none is named, ${all.length === 0 ? 'does not exist' : 'is revoked'}`,
    `spillway key ${all.length === 0 ? 'create local --keep' : 'rotate local'} makes a new one; or name another with --key NAME`,
  )
}

interface Pointing {
  /** What clients of the pool's shape take as their base URL. */
  readonly baseUrl: string
  readonly variables: Readonly<Record<string, string>>
  /** Variables that would win over these, or send another key here. */
  readonly unset: readonly string[]
  readonly notes: string[]
}

/** What the clients of each provider and shape read (their documentation says so). */
function pointing(call: Call, pool: PoolStatus, key: string): Pointing {
  const root = `${reachable(call.origin())}/${pool.record.name}`
  const dialect = dialectFor(pool.record)
  const plain = { baseUrl: root, unset: [] }
  switch (dialect.provider) {
    case 'codex':
      return { ...plain, variables: { SPILLWAY_KEY: key }, notes: codexLines(root, 'SPILLWAY_KEY') }
    case 'azure':
      return { ...plain, variables: { AZURE_OPENAI_ENDPOINT: root, AZURE_OPENAI_API_KEY: key }, notes: [] }
    case 'generic':
      return {
        ...plain,
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
    const baseUrl = root + version
    const variables = { OPENAI_BASE_URL: baseUrl, OPENAI_API_KEY: key }
    return { baseUrl, variables, unset: [], notes: codexLines(baseUrl, 'OPENAI_API_KEY') }
  },
  // Claude Code takes ANTHROPIC_AUTH_TOKEN as it is, but asks a person about ANTHROPIC_API_KEY and recommends No. The SDKs
  // read both, warn where both are set, and take ANTHROPIC_API_KEY, which may be a key of the upstream.
  anthropic: (root, key) => ({
    baseUrl: root,
    variables: { ANTHROPIC_BASE_URL: root, ANTHROPIC_AUTH_TOKEN: key },
    unset: ['ANTHROPIC_API_KEY'],
    notes: ['Tools that read ANTHROPIC_API_KEY only take the value of ANTHROPIC_AUTH_TOKEN there.'],
  }),
  // GOOGLE_API_KEY wins over GEMINI_API_KEY where both are set.
  gemini: (root, key) => ({
    baseUrl: root,
    variables: { GOOGLE_GEMINI_BASE_URL: root, GEMINI_API_KEY: key },
    unset: ['GOOGLE_API_KEY'],
    notes: [
      'Gemini CLI needs this once in ~/.gemini/settings.json (spillway connect gemini writes it):',
      '{ "security": { "auth": { "selectedType": "gemini-api-key" } } }',
    ],
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
    'Codex needs this besides, in ~/.codex/config.toml before the first table (spillway connect codex writes it):',
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
