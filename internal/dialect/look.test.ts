import { describe, expect, it } from 'vitest'
import { type Look, usageEndpoint } from './look.ts'

const now = Date.UTC(2026, 0, 5, 14)
const reset = now + 3_600_000
const epoch = reset / 1_000
const instant = new Date(reset).toISOString()

function look(provider: string, body: unknown): Look | undefined {
  return usageEndpoint(provider)?.read(body, now)
}
const brief = (found: Look | undefined) =>
  found?.usage.map(({ window, family, isPartial, usedPercent, resetAt }) => [
    window,
    usedPercent,
    resetAt,
    isPartial ?? false,
    family ?? null,
  ])

describe('a usage endpoint', () => {
  it.each([
    ['codex', 'https://chatgpt.com/backend-api/codex', 'https://chatgpt.com/backend-api/wham/usage'],
    ['codex', 'http://127.0.0.1:9/', 'http://127.0.0.1:9/wham/usage'],
    ['anthropic', 'https://api.anthropic.com', 'https://api.anthropic.com/api/oauth/usage'],
    ['anthropic', 'http://127.0.0.1:9/v1/', 'http://127.0.0.1:9/api/oauth/usage'],
  ])('of %s at %s', (provider, base, url) => {
    expect(usageEndpoint(provider)?.urlOf(base)).toBe(url)
  })

  it('is one of logins that have one', () => {
    expect(usageEndpoint('openai')).toBeNull()
  })
})

describe('what Codex says', () => {
  const week = { used_percent: 42, limit_window_seconds: 604_800, reset_at: epoch }
  const hours = { used_percent: 7.5, limit_window_seconds: 18_000, reset_after_seconds: 3_600 }

  it('is the plan with its windows, and limits of single models', () => {
    const found = look('codex', {
      rate_limit: { allowed: true, limit_reached: false, primary_window: hours, secondary_window: week },
      additional_rate_limits: [
        { limit_name: 'GPT-5.3-Codex-Spark', metered_feature: 'codex_bengalfox', rate_limit: { primary_window: week } },
        { limit_name: 'Other', metered_feature: '', rate_limit: { primary_window: hours, secondary_window: null } },
        { rate_limit: { primary_window: week } },
        null,
      ],
    })
    expect(found?.isAllowed).toBe(true)
    expect(brief(found)).toEqual([
      ['5h', 7.5, reset, false, null],
      ['7d', 42, reset, false, null],
      ['7d_bengalfox', 42, reset, true, 'gpt-5.3-codex-spark'],
      ['5h_other', 7.5, reset, true, 'other'],
    ])
    expect(found?.usage.every(({ source, seenAt }) => source === 'look' && seenAt === now)).toBe(true)
  })

  it.each<[string, object, boolean | null]>([
    ['reached', { allowed: true, limit_reached: true }, false],
    ['not allowed', { allowed: false }, false],
    ['unsaid', {}, null],
  ])('of a limit that is %s', (_name, limit, isAllowed) => {
    expect(look('codex', { rate_limit: limit })).toEqual({ usage: [], isAllowed })
  })

  it.each<[string, unknown]>([
    ['no object', 'no'],
    ['a window without a length', { rate_limit: { primary_window: { used_percent: 1 } } }],
    ['a window of no length', { rate_limit: { primary_window: { used_percent: 1, limit_window_seconds: 0 } } }],
    ['a percentage that is none', { rate_limit: { primary_window: { ...week, used_percent: '42' } } }],
    ['an absurd percentage', { rate_limit: { primary_window: { ...week, used_percent: 1e308 } } }],
    ['an absurd length', { rate_limit: { primary_window: { used_percent: 1, limit_window_seconds: 1e300 } } }],
    ['a negative percentage', { rate_limit: { primary_window: { ...week, used_percent: -1 } } }],
  ])('is nothing with %s', (_name, body) => {
    expect(look('codex', body)?.usage).toEqual([])
  })
})

describe('what Claude says', () => {
  it('is its windows, those of one family, and what else it lists', () => {
    const found = look('anthropic', {
      five_hour: { utilization: 25, resets_at: instant },
      seven_day: { utilization: 40.5, resets_at: epoch },
      seven_day_opus: { utilization: 0, resets_at: null },
      seven_day_cowork: null,
      extra_usage: { utilization: 5 },
      limits: [
        { kind: 'session', percent: 26, resets_at: instant },
        { kind: 'weekly_all', percent: 41, resets_at: instant },
        { kind: 'weekly_scoped', percent: 88, resets_at: instant, scope: { model: { display_name: 'Fable' } } },
        { kind: 'weekly_scoped', percent: 88, resets_at: instant, scope: null },
        { kind: 'else', percent: 1 },
      ],
    })
    expect(found?.isAllowed).toBeNull()
    expect(brief(found)).toEqual([
      ['5h', 26, reset, false, null],
      ['7d', 41, reset, false, null],
      ['7d_opus', 0, null, true, 'opus'],
      ['7d_fable', 88, reset, true, 'fable'],
    ])
  })

  it('is nothing where it says nothing', () => {
    expect(look('anthropic', { five_hour: { utilization: null } })?.usage).toEqual([])
    expect(look('anthropic', null)?.usage).toEqual([])
  })
})
