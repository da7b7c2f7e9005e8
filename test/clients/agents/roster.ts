/**
 * The agent programs that are driven: how each is started for one short prompt without a terminal, and told to talk to
 * nobody but spillway. Their versions stand in `programs/package.json`.
 */
import type { Agent } from './agent.ts'

const prompt = 'Say hello.'

/** Our own sentence, as it is. */
const sentence = /quota exceeded: all 2 members are cooling\. It will reset at (\d{4}-\d\d-\d\d )?\d\d:\d\d UTC \(/

export const codex = codexOver(false)
export const codexOnWebSocket = codexOver(true)

export const claude: Agent = {
  name: 'claude',
  provider: 'anthropic',
  comesAgain: true,
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
  comesAgain: true,
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
  comesAgain: true,
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
  comesAgain: true,
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

/** Built on the AI SDK, as is the script below. */
export const cline: Agent = {
  name: 'cline',
  provider: 'openai',
  comesAgain: false,
  requests: 1,
  shows: sentence,
  start: ({ base, key }) => ({
    program: `node_modules/@cline/cli-${process.platform}-${process.arch}/bin/cline`,
    isScript: false,
    args: [prompt],
    env: { CLINE_NO_AUTO_UPDATE: '1', CLINE_SESSION_BACKEND_MODE: 'local' },
    files: {
      '.cline/data/settings/providers.json': JSON.stringify({
        version: 1,
        lastUsedProvider: 'openai-compatible',
        modes: {},
        providers: {
          'openai-compatible': {
            settings: { provider: 'openai-compatible', apiKey: key, model: 'fake-model', baseUrl: `${base}/v1` },
            updatedAt: '2026-01-01T00:00:00.000Z',
            tokenSource: 'manual',
          },
        },
      }),
    },
  }),
}

export const copilot: Agent = {
  name: 'copilot',
  provider: 'openai',
  comesAgain: true,
  requests: 1,
  shows: sentence,
  start: ({ base, key }) => ({
    program: `node_modules/@github/copilot-${process.platform}-${process.arch}/copilot`,
    isScript: false,
    args: ['-p', prompt, '--allow-all-tools', '--no-auto-update'],
    env: {
      COPILOT_OFFLINE: 'true',
      COPILOT_MODEL: 'fake-model',
      COPILOT_PROVIDER_BASE_URL: `${base}/v1`,
      COPILOT_PROVIDER_API_KEY: key,
    },
    files: {},
  }),
}

export const aiSdk: Agent = {
  name: 'a script on the AI SDK',
  provider: 'openai',
  comesAgain: false,
  requests: 1,
  shows: sentence,
  start: ({ base, key }) => ({
    program: 'ask.mjs',
    isScript: true,
    args: [prompt],
    env: { BASE_URL: `${base}/v1`, API_KEY: key },
    files: {},
  }),
}

/** Codex speaks the Responses API, over HTTP or over a WebSocket that it keeps for its turns. */
function codexOver(webSocket: boolean): Agent {
  return {
    name: webSocket ? 'codex on a WebSocket' : 'codex',
    provider: 'openai',
    comesAgain: true,
    requests: 1,
    // Its own words for `usage_limit_reached`, with the time from `resets_at`.
    shows: /hit your usage limit\. Try again at \d/,
    start: ({ base, key, home }) => ({
      program: `node_modules/@openai/codex-${process.platform}-${process.arch}/vendor/${triple}/bin/codex`,
      isScript: false,
      args: ['exec', '--skip-git-repo-check', '--sandbox', 'danger-full-access', prompt],
      env: { CODEX_HOME: `${home}/.codex`, SPILLWAY_KEY: key },
      files: { '.codex/config.toml': codexConfig(base, webSocket) },
    }),
  }
}

/** What Rust calls this platform. */
const triple = `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-${process.platform === 'darwin' ? 'apple-darwin' : 'unknown-linux-musl'}`

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
