import { describe, expect, it } from 'vitest'
import { isUsageHeader, limitsIn, tellsOfLimits, usageOf } from './usage.ts'

const now = Date.UTC(2026, 0, 5, 14, 0, 0)
const inAnHour = now + 3_600_000
const epoch = String(inAnHour / 1_000)

const rows = [
  {
    name: 'Codex windows, named by their length',
    headers: {
      'x-codex-primary-used-percent': '97.5',
      'x-codex-primary-window-minutes': '300',
      'x-codex-primary-reset-at': epoch,
      'x-codex-secondary-used-percent': '12',
      'x-codex-secondary-window-minutes': '10080',
      'x-codex-secondary-reset-at': epoch,
    },
    usage: [
      { window: '5h', usedPercent: 97.5, resetAt: inAnHour },
      { window: '7d', usedPercent: 12, resetAt: inAnHour },
    ],
  },
  {
    name: 'a Codex window without a length, or of an odd one',
    headers: {
      'x-codex-primary-used-percent': '1',
      'x-codex-secondary-used-percent': '2',
      'x-codex-secondary-window-minutes': '90',
    },
    usage: [
      { window: 'primary', usedPercent: 1, resetAt: null },
      { window: '90min', usedPercent: 2, resetAt: null },
    ],
  },
  {
    name: 'Claude plan windows',
    headers: {
      'anthropic-ratelimit-unified-5h-utilization': '0.5',
      'anthropic-ratelimit-unified-5h-reset': epoch,
      'anthropic-ratelimit-unified-5h-status': 'allowed',
    },
    usage: [{ window: '5h', usedPercent: 50, resetAt: inAnHour }],
  },
  {
    name: 'seconds to the reset of a Codex window, and no window without a length',
    headers: {
      'x-codex-active-limit': 'premium',
      'x-codex-primary-used-percent': '66',
      'x-codex-primary-window-minutes': '10080',
      'x-codex-primary-reset-after-seconds': '3600',
      'x-codex-secondary-used-percent': '0',
      'x-codex-secondary-window-minutes': '0',
    },
    usage: [{ window: '7d', usedPercent: 66, resetAt: inAnHour }],
  },
  {
    name: 'the windows of an additional Codex limit as partial',
    headers: {
      'x-codex-active-limit': 'codex_bengalfox',
      'x-codex-primary-used-percent': '99',
      'x-codex-primary-reset-at': epoch,
    },
    usage: [{ window: 'primary_bengalfox', isPartial: true, usedPercent: 99, resetAt: inAnHour }],
  },
  {
    name: 'the windows of a named Codex limit beside those of the plan, with its model',
    headers: {
      'x-codex-primary-used-percent': '3',
      'x-codex-primary-window-minutes': '300',
      'x-codex-bengalfox-limit-name': 'GPT-5.3-Codex-Spark',
      'x-codex-bengalfox-primary-used-percent': '71',
      'x-codex-bengalfox-primary-window-minutes': '10080',
      'x-codex-bengalfox-primary-reset-at': epoch,
    },
    usage: [
      { window: '5h', usedPercent: 3, resetAt: null },
      {
        window: '7d_bengalfox',
        isPartial: true,
        family: 'gpt-5.3-codex-spark',
        usedPercent: 71,
        resetAt: inAnHour,
      },
    ],
  },
  ...['7d_opus', 'overage', 'slow-budget'].map((window) => ({
    name: `the window ${window} of a Claude plan as partial`,
    headers: {
      [`anthropic-ratelimit-unified-${window}-utilization`]: '1',
      [`anthropic-ratelimit-unified-${window}-reset`]: epoch,
    },
    usage: [
      {
        window,
        isPartial: true,
        ...(window === '7d_opus' ? { family: 'opus' } : {}),
        usedPercent: 100,
        resetAt: inAnHour,
      },
    ],
  })),
  {
    name: 'OpenAI limits',
    headers: {
      'x-ratelimit-limit-requests': '200',
      'x-ratelimit-remaining-requests': '50',
      'x-ratelimit-reset-requests': '60m0s',
    },
    usage: [{ window: 'requests', usedPercent: 75, resetAt: inAnHour }],
  },
  {
    name: 'Anthropic limits',
    headers: {
      'anthropic-ratelimit-tokens-limit': '1000',
      'anthropic-ratelimit-tokens-remaining': '0',
      'anthropic-ratelimit-tokens-reset': '2026-01-05T15:00:00Z',
    },
    usage: [{ window: 'tokens', usedPercent: 100, resetAt: inAnHour }],
  },
  { name: 'a remainder without its limit', headers: { 'x-ratelimit-remaining-tokens': '7' }, usage: [] },
  {
    name: 'what is not a number',
    headers: {
      'x-codex-primary-used-percent': 'much',
      'x-ratelimit-remaining-tokens': ' ',
      'x-ratelimit-limit-tokens': '9',
    },
    usage: [],
  },
  ...['1e308', '1000000000', '-5', 'NaN', 'Infinity'].map((percent) => ({
    name: `nothing from an absurd percentage, ${percent}`,
    headers: {
      'x-codex-primary-used-percent': percent,
      'x-codex-primary-window-minutes': '300',
      'anthropic-ratelimit-unified-5h-utilization': percent,
    },
    usage: [],
  })),
  ...['1e308', '99999999999999', '-5', 'abc'].map((minutes) => ({
    name: `the upstream's own word for a window of an absurd length, ${minutes}`,
    headers: { 'x-codex-primary-used-percent': '7', 'x-codex-primary-window-minutes': minutes },
    usage: [{ window: 'primary', usedPercent: 7, resetAt: null }],
  })),
  {
    name: 'no window with a name that is none',
    headers: { [`anthropic-ratelimit-unified-${'x'.repeat(65)}-utilization`]: '0.5' },
    usage: [],
  },
  { name: 'other headers', headers: { 'content-type': 'text/plain' }, usage: [] },
]

describe('usage', () => {
  it.each(rows)('reads $name', ({ headers, usage }) => {
    const all: Readonly<Record<string, string | undefined>> = headers
    expect(usageOf((name) => all[name], Object.keys(all), now)).toEqual(
      usage.map((limit) => ({ ...limit, seenAt: now, source: 'headers' })),
    )
  })

  it('is only looked for where a header can be part of it', () => {
    expect(
      ['X-Codex-Primary-Used-Percent', 'anthropic-ratelimit-tokens-limit', 'X-RateLimit-Remaining-Requests'].every(
        isUsageHeader,
      ),
    ).toBe(true)
    expect(['date', 'x-request-id', 'retry-after'].some(isUsageHeader)).toBe(false)
  })
})

describe('what a Codex WebSocket tells of limits', () => {
  const event = (more: object) => JSON.stringify({ type: 'codex.rate_limits', ...more })
  const primary = { used_percent: 40, window_minutes: 300, reset_at: inAnHour / 1_000 }
  const heard = { seenAt: now, source: 'headers' }

  it.each<[string, string, object[]]>([
    [
      'the plan',
      event({
        plan_type: 'pro',
        rate_limits: { primary, secondary: { used_percent: 5, window_minutes: 10_080, reset_after_seconds: 3_600 } },
      }),
      [
        { window: '5h', usedPercent: 40, resetAt: inAnHour },
        { window: '7d', usedPercent: 5, resetAt: inAnHour },
      ],
    ],
    [
      'the plan by its name',
      event({ metered_limit_name: 'codex', rate_limits: { primary } }),
      [{ window: '5h', usedPercent: 40, resetAt: inAnHour }],
    ],
    [
      'an additional limit',
      event({ metered_limit_name: 'codex_bengalfox', rate_limits: { primary } }),
      [{ window: '5h_bengalfox', isPartial: true, usedPercent: 40, resetAt: inAnHour }],
    ],
    [
      'a limit of another name',
      event({ metered_limit_name: 'gpt-reserve', rate_limits: { primary } }),
      [{ window: '5h_gpt-reserve', isPartial: true, usedPercent: 40, resetAt: inAnHour }],
    ],
    [
      'what is not a number',
      event({
        rate_limits: { primary: { ...primary, used_percent: '40' }, secondary: { ...primary, window_minutes: null } },
      }),
      [],
    ],
    [
      'what is below nothing',
      event({
        rate_limits: { primary: { ...primary, used_percent: -1 }, secondary: { ...primary, window_minutes: 0 } },
      }),
      [],
    ],
    [
      'what is absurd',
      event({
        rate_limits: {
          primary: { ...primary, used_percent: 1e308 },
          secondary: { ...primary, window_minutes: 1e308 },
        },
      }),
      [],
    ],
    ['a name with control characters', event({ metered_limit_name: 'a\u001b[2J', rate_limits: { primary } }), []],
    ['no limits', event({}), []],
    ['another event', JSON.stringify({ type: 'response.created', rate_limits: { primary } }), []],
  ])('%s', (_name, message, usage) => {
    expect(limitsIn(message, now)).toEqual(usage.map((limit) => ({ ...limit, ...heard })))
  })

  it('is looked for in short messages that begin so', () => {
    expect(tellsOfLimits(event({}))).toBe(true)
    expect(tellsOfLimits('{"type":"response.output_text.delta","delta":"of codex.rate_limits"}')).toBe(false)
    expect(tellsOfLimits(event({ more: 'x'.repeat(20_000) }))).toBe(false)
  })
})
