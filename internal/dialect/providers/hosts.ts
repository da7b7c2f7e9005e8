import type { ModelFamily } from '../../pool/pool.ts'
import type { Profile } from '../profile.ts'
import { quota, type Row, rateLimited } from '../rows.ts'
import { modelInBody } from '../shapes/openai.ts'

const authorization = 'authorization'
const probe = '/v1/models'

/** xAI. Its `code` is a sentence, its `error` another. */
export const xai: Profile = {
  provider: 'xai',
  offers: {
    openai: { baseUrl: 'https://api.x.ai', secretHeader: authorization, probe },
    anthropic: { baseUrl: 'https://api.x.ai', secretHeader: authorization, probe },
  },
}

/** DeepSeek. */
export const deepseek: Profile = {
  provider: 'deepseek',
  offers: {
    openai: { baseUrl: 'https://api.deepseek.com', secretHeader: authorization, probe },
    anthropic: { baseUrl: 'https://api.deepseek.com/anthropic', secretHeader: authorization, probe },
  },
}

/** Mistral. */
export const mistral: Profile = {
  provider: 'mistral',
  offers: { openai: { baseUrl: 'https://api.mistral.ai', secretHeader: authorization, probe } },
  // A number at the root of the body (Mistral's documentation, "Error codes").
  rows: [{ on: [429], code: ['1300'], means: rateLimited }],
}

/** Groq. */
export const groq: Profile = {
  provider: 'groq',
  offers: { openai: { baseUrl: 'https://api.groq.com/openai', secretHeader: authorization, probe } },
}

/** Together. */
export const together: Profile = {
  provider: 'together',
  offers: { openai: { baseUrl: 'https://api.together.xyz', secretHeader: authorization, probe } },
}

/** Fireworks. */
export const fireworks: Profile = {
  provider: 'fireworks',
  offers: {
    openai: { baseUrl: 'https://api.fireworks.ai/inference', secretHeader: authorization, probe },
    anthropic: { baseUrl: 'https://api.fireworks.ai/inference', secretHeader: authorization, probe },
  },
}

/** Cerebras. */
export const cerebras: Profile = {
  provider: 'cerebras',
  offers: { openai: { baseUrl: 'https://api.cerebras.ai', secretHeader: authorization, probe } },
}

/** Amazon Bedrock with an API key: the region is in the address. */
export const bedrock: Profile = {
  provider: 'bedrock',
  offers: {
    openai: { baseUrl: null, secretHeader: authorization, probe },
    anthropic: { baseUrl: null, secretHeader: authorization, probe },
  },
  model: modelInPathOrBody,
}

/** GitHub Models: limits of one user with one model. */
const githubModels: Row = {
  on: [429],
  code: ['RateLimitReached'],
  says: /\bUserByModel/,
  means: { ...rateLimited, scope: 'model' },
}

/** What is common to all, and codes of providers that have no name here, or are used without it. */
export const commonWords: readonly Row[] = [
  githubModels,
  { on: [403], code: ['quota_exceeded'], means: quota },
  // A window under 403 alone; inside a stream, where there is no status, a limit like any other's.
  { code: ['rate_limit_exceeded'], when: ({ status }) => status === 403, means: quota },
]

/** `anthropic.claude-sonnet-4-5-v1:0` of `/model/anthropic.claude-sonnet-4-5-v1%3A0/converse`; else that of the body. */
function modelInPathOrBody(path: string, body: unknown): ModelFamily | null {
  const named = /^\/model\/([^/?]+)\//.exec(path)?.[1]
  return named?.replace(/%3a/gi, ':').replace(/%2f/gi, '/') ?? modelInBody(path, body)
}
