/**
 * The agent programs that are driven: how each is started for one short prompt without a terminal, and told to talk to
 * nobody but spillway. Their versions stand in `programs/package.json`.
 */

/** Where an agent finds its pool. */
export interface Stage {
  /** The pool's URL. */
  readonly base: string
  /** The client key. */
  readonly key: string
  /** A home of its own, empty but for the agent's files. */
  readonly home: string
}

/** How an agent is started. */
export interface Start {
  /** Relative to the folder in which the agents are installed. */
  readonly program: string
  /** Whether it is a script for node, and not a binary. */
  readonly isScript: boolean
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Files below its home: what is in them, by path. */
  readonly files: Readonly<Record<string, string>>
}

export interface Agent {
  readonly name: string
  readonly provider: 'openai' | 'anthropic' | 'gemini'
  /** The least major version of node that runs it. */
  readonly node: number
  /** How many requests it makes before it stops at an exhausted pool: opencode asks for a title, too. */
  readonly requests: number
  /** What it shows of an exhausted pool, with single spaces. */
  readonly shows: RegExp
  start(stage: Stage): Start
}

const prompt = 'Say hello.'

/** Our own sentence, as it is. */
const sentence = /quota exceeded: all 2 members are cooling\. It will reset at \d\d:\d\d UTC \(/

export const codex = codexOver(false)
export const codexOnWebSocket = codexOver(true)

export const claude: Agent = {
  name: 'claude',
  provider: 'anthropic',
  node: 18,
  requests: 1,
  shows: sentence,
  start: ({ base, key }) => ({
    program: `node_modules/@anthropic-ai/claude-code-${process.platform}-${process.arch}/claude`,
    isScript: false,
    args: ['-p', prompt, '--model', 'claude-sonnet-4-5', '--tools', ''],
    env: {
      ANTHROPIC_BASE_URL: base,
      ANTHROPIC_API_KEY: key,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      DISABLE_AUTOUPDATER: '1',
      DISABLE_TELEMETRY: '1',
      DISABLE_ERROR_REPORTING: '1',
    },
    files: {},
  }),
}

export const gemini: Agent = {
  name: 'gemini',
  provider: 'gemini',
  node: 20,
  requests: 1,
  shows: sentence,
  start: ({ base, key }) => ({
    program: 'node_modules/@google/gemini-cli/bundle/gemini.js',
    isScript: true,
    args: ['-p', prompt, '-m', 'gemini-2.5-pro', '--skip-trust'],
    env: { GOOGLE_GEMINI_BASE_URL: base, GEMINI_API_KEY: key, GEMINI_CLI_NO_RELAUNCH: 'true' },
    files: {
      '.gemini/settings.json': JSON.stringify({
        security: { auth: { selectedType: 'gemini-api-key' } },
        privacy: { usageStatisticsEnabled: false },
        telemetry: { enabled: false },
        general: { enableAutoUpdate: false, enableAutoUpdateNotification: false },
      }),
    },
  }),
}

export const opencode: Agent = {
  name: 'opencode',
  provider: 'openai',
  node: 18,
  requests: 2,
  shows: sentence,
  start: ({ base, key }) => ({
    program: `node_modules/opencode-${process.platform}-${process.arch}/bin/opencode`,
    isScript: false,
    args: ['run', '--model', 'spillway/fake-model', prompt],
    env: { OPENCODE_DISABLE_AUTOUPDATE: '1', OPENCODE_DISABLE_MODELS_FETCH: '1', OPENCODE_DISABLE_LSP_DOWNLOAD: '1' },
    files: {
      '.config/opencode/opencode.json': JSON.stringify({
        autoupdate: false,
        share: 'disabled',
        provider: {
          spillway: {
            npm: '@ai-sdk/openai-compatible',
            name: 'spillway',
            options: { baseURL: `${base}/v1`, apiKey: key },
            models: { 'fake-model': { name: 'fake-model' } },
          },
        },
      }),
    },
  }),
}

export const qwen: Agent = {
  name: 'qwen',
  provider: 'openai',
  node: 22,
  requests: 1,
  shows: sentence,
  start: ({ base, key }) => ({
    program: 'node_modules/@qwen-code/qwen-code/cli.js',
    isScript: true,
    args: ['-p', prompt, '--auth-type', 'openai'],
    env: { OPENAI_BASE_URL: `${base}/v1`, OPENAI_API_KEY: key, OPENAI_MODEL: 'fake-model' },
    files: {
      '.qwen/settings.json': JSON.stringify({
        privacy: { usageStatisticsEnabled: false },
        telemetry: { enabled: false },
        general: { enableAutoUpdate: false, disableAutoUpdate: true },
      }),
    },
  }),
}

/** Codex speaks the Responses API, over HTTP or over a WebSocket that it keeps for its turns. */
function codexOver(webSocket: boolean): Agent {
  return {
    name: webSocket ? 'codex on a WebSocket' : 'codex',
    provider: 'openai',
    node: 18,
    requests: 1,
    // Its own words for `usage_limit_reached`, with the time from `resets_at`.
    shows: /hit your usage limit\. Try again at \d/,
    start: ({ base, key, home }) => ({
      program: `node_modules/@openai/codex-${process.platform}-${process.arch}/vendor/x86_64-unknown-linux-musl/bin/codex`,
      isScript: false,
      args: ['exec', '--skip-git-repo-check', '--sandbox', 'danger-full-access', prompt],
      env: { CODEX_HOME: `${home}/.codex`, SPILLWAY_KEY: key },
      files: { '.codex/config.toml': codexConfig(base, webSocket) },
    }),
  }
}

function codexConfig(base: string, webSocket: boolean): string {
  return `
model = "gpt-5"
model_provider = "spillway"
check_for_update_on_startup = false
[analytics]
enabled = false
[model_providers.spillway]
name = "spillway"
base_url = "${base}/v1"
env_key = "SPILLWAY_KEY"
wire_api = "responses"
supports_websockets = ${webSocket}
`
}
