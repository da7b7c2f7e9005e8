import { describe, expect, it } from 'vitest'
import { configJsonSchema, environmentName } from '../config.ts'
import { settings } from './schema.ts'

describe('the published JSON Schema', () => {
  it('is the one that the schema generates (vitest -u writes it anew)', async () => {
    const text = `${JSON.stringify(configJsonSchema(), null, 2)}\n`
    await expect(text).toMatchFileSnapshot('../spillway.schema.json')
  })

  it('requires nothing, forbids unknown keys and shows defaults', () => {
    const schema = configJsonSchema()
    const { guard, ...sections } = schema.properties ?? {}
    expect(JSON.stringify(sections)).not.toContain('"required"')
    // An entry under a name of the operator's has something to say.
    expect(guard).toMatchObject({ properties: { budgets: { additionalProperties: { required: ['path'] } } } })
    expect(schema).toMatchObject({
      additionalProperties: false,
      properties: {
        server: {
          type: 'object',
          additionalProperties: false,
          properties: { listen: { type: 'string', default: '127.0.0.1:8460' } },
        },
        log: { properties: { level: { enum: ['debug', 'info', 'warn', 'error'], default: 'info' } } },
      },
    })
  })

  it('describes every setting', () => {
    for (const [name, setting] of settings) expect(setting.description, name).toMatch(/\.$/)
  })
})

describe('the environment twin', () => {
  it.each([
    ['server.listen', 'SPILLWAY_SERVER_LISTEN'],
    ['oauth.codex.tokenUrl', 'SPILLWAY_OAUTH_CODEX_TOKEN_URL'],
    ['replay.maxBodyBytes', 'SPILLWAY_REPLAY_MAX_BODY_BYTES'],
    ['notices.telegram.chatIds', 'SPILLWAY_NOTICES_TELEGRAM_CHAT_IDS'],
  ])('of %s is %s', (key, expected) => {
    expect(environmentName(key)).toBe(expected)
  })

  it('is different for each setting', () => {
    expect(new Set([...settings.keys()].map(environmentName)).size).toBe(settings.size)
  })
})
