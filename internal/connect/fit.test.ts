import { describe, expect, test } from 'vitest'
import { clientNamed } from './clients.ts'
import { fittingPool } from './fit.ts'

const pool = (name: string, provider = name, shape = 'openai') => ({ name, provider, shape })
const openai = pool('openai')
const codex = pool('codex')
const claude = pool('anthropic', 'anthropic', 'anthropic')
const glm = pool('glm', 'zai', 'anthropic')
const gemini = pool('gemini', 'gemini', 'gemini')
const azure = pool('azure')

describe('the pool of a client', () => {
  test.each([
    ['is the one of its own provider', 'codex', [openai, codex, claude], 'codex'],
    ['is the one of the next best provider', 'codex', [openai, claude], 'openai'],
    ['is the only one that speaks its API', 'claude', [openai, glm], 'glm'],
    ["is its own provider's, whoever else speaks its API", 'claude', [glm, claude], 'anthropic'],
    ['is the only one that opencode knows', 'opencode', [codex, glm, gemini], 'gemini'],
  ])('%s', (_name, client, pools, name) => {
    expect(fittingPool(clientNamed(client), pools, null).name).toBe(name)
  })

  test('is the one that is named', () => {
    expect(fittingPool(clientNamed('claude'), [claude, glm], 'glm')).toBe(glm)
  })

  test.each([
    [
      'when there are several',
      'qwen',
      [openai, pool('spare', 'openai')],
      null,
      {
        code: 'invalid',
        message: 'Qwen Code can be connected to several pools: openai (openai), spare (openai)',
        hint: 'spillway connect qwen --pool openai',
      },
    ],
    [
      'when there is none',
      'gemini',
      [openai],
      null,
      {
        code: 'not-found',
        message: 'there is no pool that Gemini CLI can use',
        hint: 'spillway pool create gemini --provider gemini --members NAME',
      },
    ],
    [
      'for a pool of another API',
      'claude',
      [openai, claude],
      'openai',
      {
        code: 'conflict',
        message: "Claude Code cannot use openai, a pool of openai (openai's API)",
        hint: 'Claude Code can use anthropic',
      },
    ],
    ['for an Azure pool', 'codex', [azure], 'azure', { code: 'conflict' }],
    ['for a login of ChatGPT', 'qwen', [codex], 'codex', { code: 'conflict' }],
    [
      'for a pool that does not exist',
      'qwen',
      [openai],
      'opnai',
      { code: 'not-found', hint: 'Qwen Code can use openai' },
    ],
  ])('is refused %s', (_name, client, pools, wanted, refusal) => {
    expect(() => fittingPool(clientNamed(client), pools, wanted)).toThrow(expect.objectContaining(refusal))
  })

  test('is of a client that is known', () => {
    expect(() => clientNamed('crush')).toThrow(expect.objectContaining({ code: 'invalid' }))
  })
})
