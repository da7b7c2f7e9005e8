/**
 * The clients that `spillway connect` knows: how each is started for one short prompt with nothing but its own
 * configuration, and what the home of somebody who has used it before holds.
 */
import type { Agent, Start } from './agent.ts'
import { claude, codex, gemini, opencode, qwen } from './roster.ts'

export interface Connected {
  readonly name: string
  /** The pool's name, which is that of its provider. */
  readonly pool: 'openai' | 'anthropic' | 'gemini'
  /** Words behind the client's name. */
  readonly words: readonly string[]
  readonly start: Omit<Start, 'files'>
  /** Its configuration in a home where it has been used. */
  readonly existing: Readonly<Record<string, string>>
  /** What it writes of its own into a configuration that it finds. */
  readonly adds?: string
}

/** The program as in the other stories, with these words and without all that points it anywhere. */
function plain(agent: Agent, change: { args?: readonly string[]; env?: Record<string, string> } = {}) {
  const { program, isScript, args } = agent.start({ base: '', key: '', home: '' })
  return { program, isScript, args: change.args ?? args, env: change.env ?? {} }
}

export const connected: readonly Connected[] = [
  {
    name: 'codex',
    pool: 'openai',
    words: [],
    start: plain(codex),
    existing: {
      '.codex/config.toml': `# my Codex
model = "gpt-5"
model_provider = "openai" # the default
check_for_update_on_startup = false
approval_policy = "never"

# a server of mine
[model_providers.mine]
name = "mine"
base_url = "http://127.0.0.1:9/v1"

[analytics]
enabled = false
`,
    },
  },
  {
    name: 'claude',
    pool: 'anthropic',
    words: [],
    start: plain(claude),
    existing: {
      '.claude/settings.json': `{
    "env": { "DISABLE_TELEMETRY": "1", "ANTHROPIC_BASE_URL": "http://127.0.0.1:9" },
    "permissions": { "deny": ["WebFetch"] }
}`,
    },
  },
  {
    name: 'gemini',
    pool: 'gemini',
    words: [],
    start: plain(gemini, { env: { GEMINI_CLI_NO_RELAUNCH: 'true' } }),
    existing: {
      '.gemini/settings.json': `{
  // what I have chosen
  "security": {
    "auth": {
      "selectedType": "oauth-personal"
    }
  },
  "privacy": { "usageStatisticsEnabled": false },
  "general": { "enableAutoUpdate": false }
}
`,
      '.gemini/.env': '# keys\nGEMINI_API_KEY="not-this-one"\nEXTRA=1\n',
    },
  },
  {
    name: 'opencode',
    pool: 'openai',
    words: ['--pool', 'openai'],
    start: plain(opencode, {
      args: ['run', '--model', 'openai/gpt-5', 'Say hello.'],
      env: { OPENCODE_DISABLE_AUTOUPDATE: '1', OPENCODE_DISABLE_MODELS_FETCH: '1', OPENCODE_DISABLE_LSP_DOWNLOAD: '1' },
    }),
    existing: {
      '.config/opencode/opencode.jsonc': `{
  "$schema": "https://opencode.ai/config.json",
  // no sharing
  "share": "disabled",
  "provider": {
    "openai": { "options": { "timeout": 60000, "apiKey": "not-this-one" } }, // mine
  },
}
`,
    },
  },
  {
    name: 'qwen',
    pool: 'openai',
    words: [],
    adds: '{\n  "$version": 4\n}\n',
    start: plain(qwen, { args: ['-p', 'Say hello.', '--model', 'fake-model'] }),
    existing: {
      '.qwen/settings.json': `${JSON.stringify(
        {
          privacy: { usageStatisticsEnabled: false },
          security: { auth: { selectedType: 'qwen-oauth' } },
          model: { name: 'other-model' },
          $version: 4,
        },
        null,
        2,
      )}\n`,
    },
  },
]
