import { join } from 'node:path'
import { Refusal } from '../pool/pool.ts'
import type { FilePlan, Pointer, World } from './plan.ts'

export const clientNames = ['codex', 'claude', 'gemini', 'opencode', 'qwen'] as const
export type ClientName = (typeof clientNames)[number]

/** A program whose configuration is known. */
export interface Client {
  readonly name: ClientName
  /** As people call it. */
  readonly title: string
  /** Providers whose pools are meant when none is named, the first that has any. */
  readonly providers: readonly (readonly string[])[]
  /** Whether it can talk to a pool of that provider and shape at all. */
  fits(pool: { readonly provider: string; readonly shape: string }): boolean
  /** The folder of its configuration. */
  folder(world: World): string
  /** Its files in there, and what they have to hold. */
  plan(pointer: Pointer, world: World): readonly FilePlan[]
  /** Variables that it may prefer to its files where they are set. */
  readonly shadows: readonly string[]
  /** Settings of its own JSON files that it may prefer to what is written there, and why. */
  readonly rivals: readonly { readonly path: readonly string[]; readonly why: string }[]
  /** What a person has to know besides, as sentences. */
  readonly notes: readonly string[]
}

/** The name of our provider in files that hold several. */
const ours = 'spillway'

const codex: Client = {
  name: 'codex',
  title: 'Codex',
  providers: [['codex'], ['openai']],
  fits: ({ provider, shape }) => shape === 'openai' && provider !== 'azure',
  folder: ({ env, home }) => env.CODEX_HOME || join(home, '.codex'),
  plan({ baseUrl, keyCommand: [command, ...args] }, world) {
    // The time that the command may take: it starts a program of its own, also on a busy machine.
    const auth = { command, args, timeout_ms: 15_000 }
    const provider = { name: ours, base_url: baseUrl, wire_api: 'responses', auth }
    return [
      {
        path: join(codex.folder(world), 'config.toml'),
        format: 'toml',
        changes: [
          { path: ['model_provider'], value: ours },
          { path: ['model_providers', ours], value: provider },
        ],
      },
    ]
  },
  shadows: [],
  rivals: [],
  notes: [],
}

const claude: Client = {
  name: 'claude',
  title: 'Claude Code',
  providers: [['anthropic']],
  fits: ({ shape }) => shape === 'anthropic',
  folder: ({ env, home }) => env.CLAUDE_CONFIG_DIR || join(home, '.claude'),
  // With ANTHROPIC_API_KEY it would ask a person first, and recommend No.
  plan: ({ baseUrl, key }, world) => [
    {
      path: join(claude.folder(world), 'settings.json'),
      format: 'json',
      changes: [
        { path: ['env', 'ANTHROPIC_BASE_URL'], value: baseUrl },
        { path: ['env', 'ANTHROPIC_AUTH_TOKEN'], value: key },
      ],
    },
  ],
  shadows: ['ANTHROPIC_API_KEY'],
  rivals: [
    {
      path: ['env', 'ANTHROPIC_API_KEY'],
      why: 'is asked about, and taken in place of the token when the answer is yes',
    },
    { path: ['apiKeyHelper'], why: 'gives another key for the same requests' },
    { path: ['env', 'CLAUDE_CODE_USE_BEDROCK'], why: 'leads past the base URL' },
    { path: ['env', 'CLAUDE_CODE_USE_VERTEX'], why: 'leads past the base URL' },
  ],
  notes: [],
}

const gemini: Client = {
  name: 'gemini',
  title: 'Gemini CLI',
  providers: [['gemini']],
  fits: ({ shape }) => shape === 'gemini',
  folder: ({ env, home }) => join(env.GEMINI_CLI_HOME || home, '.gemini'),
  plan({ baseUrl, key }, world) {
    const folder = gemini.folder(world)
    return [
      {
        path: join(folder, 'settings.json'),
        format: 'json',
        changes: [{ path: ['security', 'auth', 'selectedType'], value: 'gemini-api-key' }],
      },
      {
        path: join(folder, '.env'),
        format: 'dotenv',
        changes: [
          { path: ['GOOGLE_GEMINI_BASE_URL'], value: baseUrl },
          { path: ['GEMINI_API_KEY'], value: key },
        ],
      },
    ]
  },
  shadows: ['GEMINI_API_KEY', 'GOOGLE_API_KEY', 'GOOGLE_GEMINI_BASE_URL'],
  rivals: [],
  notes: ['Gemini CLI reads this file in folders that it trusts and that have no .env of their own'],
}

const opencode: Client = {
  name: 'opencode',
  title: 'opencode',
  providers: [['openai', 'anthropic', 'gemini']],
  fits: ({ provider }) => Object.hasOwn(ofOpencode, provider),
  folder: ({ env, home }) => join(env.XDG_CONFIG_HOME || join(home, '.config'), 'opencode'),
  plan({ provider, baseUrl, key }, world) {
    const folder = opencode.folder(world)
    const jsonc = join(folder, 'opencode.jsonc')
    const { name, version } = ofOpencode[provider] ?? { name: provider, version: '' }
    return [
      {
        path: world.exists(jsonc) ? jsonc : join(folder, 'opencode.json'),
        format: 'json',
        changes: [
          { path: ['provider', name, 'options', 'baseURL'], value: baseUrl + version },
          { path: ['provider', name, 'options', 'apiKey'], value: key },
        ],
      },
    ]
  },
  shadows: [],
  rivals: [],
  notes: [],
}

/** What opencode calls a provider, and what it expects behind the base URL of its shape. */
const ofOpencode: Readonly<Record<string, { readonly name: string; readonly version: string }>> = {
  openai: { name: 'openai', version: '' },
  anthropic: { name: 'anthropic', version: '/v1' },
  gemini: { name: 'google', version: '/v1beta' },
}

const qwen: Client = {
  name: 'qwen',
  title: 'Qwen Code',
  providers: [['dashscope'], ['openai']],
  fits: ({ provider, shape }) => shape === 'openai' && provider !== 'codex' && provider !== 'azure',
  folder: ({ env, home }) => env.QWEN_HOME || join(home, '.qwen'),
  plan: ({ baseUrl, key }, world) => [
    {
      path: join(qwen.folder(world), 'settings.json'),
      format: 'json',
      changes: [
        { path: ['security', 'auth', 'selectedType'], value: 'openai' },
        { path: ['security', 'auth', 'baseUrl'], value: baseUrl },
        { path: ['security', 'auth', 'apiKey'], value: key },
      ],
    },
  ],
  shadows: ['OPENAI_API_KEY', 'OPENAI_BASE_URL'],
  rivals: [],
  notes: ['the model is yours to choose: one that this pool has, in model.name or with --model'],
}

const clients: Readonly<Record<ClientName, Client>> = { codex, claude, gemini, opencode, qwen }

/** The client of that name; refuses any other with those that are known. */
export function clientNamed(name: string): Client {
  const found = clientNames.find((each) => each === name)
  if (found) return clients[found]
  throw new Refusal(
    'invalid',
    `${JSON.stringify(name)} is no client that can be connected`,
    `one of ${clientNames.join(', ')}`,
  )
}
