import type { At, ModelFamily } from '../pool/pool.ts'
import { answer } from './answers.ts'
import { anthropicExhausted } from './exhausted.ts'
import { addToList, dropHeader, setBearer, setHeader } from './headers.ts'
import { atDate, atEpoch, latest, latestExhausted, retryAfter, usedUp } from './hints.ts'
import type { Dialect, LocalError } from './port.ts'
import { probeOf } from './probes.ts'
import {
  accountClosed,
  authExpired,
  authRejected,
  billing,
  byStatus,
  challenge,
  classifyResponse,
  decide,
  egressBlocked,
  type Hint,
  overloaded,
  phrase,
  quota,
  rateLimited,
  requestFault,
  type Table,
  upstreamError,
} from './rows.ts'
import { fields, readJson, rootOf, type Signal, signalOfEvent, text } from './signal.ts'
import { familiesOf, rejectedWindows } from './unified.ts'

const prefix = 'anthropic-ratelimit-'

/** The latest of Retry-After and of the resets of the limits that are used up. */
const hint: Hint = ({ header, headerNames }, now) => {
  const limits = headerNames().flatMap((name) => /^anthropic-ratelimit-(?!unified-)(.+)-reset$/.exec(name)?.[1] ?? [])
  const windows = limits.map((limit) => ({
    exhausted: usedUp(header(`${prefix}${limit}-remaining`)),
    at: atDate(header(`${prefix}${limit}-reset`), now),
  }))
  return latest([retryAfter(header, now), latestExhausted(windows)])
}

/** The reset of the unified limit as a whole, which is that of its representative window. */
const unifiedHint: Hint = (signal, now) =>
  atEpoch(signal.header(`${prefix}unified-reset`), now) ?? retryAfter(signal.header, now)

const sharedHint: Hint = (signal, now) => latestReset(signal, 'shared', now) ?? unifiedHint(signal, now)
const familyHint: Hint = (signal, now) => latestReset(signal, 'family', now) ?? unifiedHint(signal, now)

/** SIGNALS, "Anthropic API and Claude login tokens". */
const table: Table = {
  rows: [
    { on: [400, 403], says: phrase('only authorized for use with Claude Code'), means: requestFault },
    { code: ['billing_error', 'enforced_spend_limit_reached'], means: billing },
    { on: [400], says: /^You have reached your specified (?:workspace )?API usage limits\b/i, means: billing },
    { on: [400], code: ['invalid_request_error'], says: phrase('credit balance is too low'), means: billing },
    { on: [400], says: phrase('organization has been disabled'), means: accountClosed },
    { on: [401, 403], says: phrase('OAuth authentication is currently not allowed'), means: accountClosed },
    { on: [401], says: phrase('OAuth token has expired'), means: authExpired },
    { on: [401, 403], says: phrase('OAuth token has been revoked'), means: authExpired },
    { on: [401], code: ['authentication_error'], when: ({ oauth }) => !oauth, means: authRejected },
    { on: [403], code: ['forbidden'], says: /^Request not allowed$/i, means: egressBlocked },
    { code: ['overloaded_error'], means: overloaded },
    { on: [429], when: rejects('shared'), means: { ...quota, hint: sharedHint } },
    {
      on: [429],
      when: rejects('family'),
      means: { ...quota, reason: 'model-quota', scope: 'model', model: onlyFamily, hint: familyHint },
    },
    // After the windows, because a member whose window is used up mentions its extra usage too.
    { on: [429], when: wantsExtraUsage, means: requestFault },
    { on: [429], when: refusedAsWhole, means: { ...quota, hint: unifiedHint } },
    { on: [429], when: namesNoLimit, means: { ...rateLimited, reason: 'burst', weak: true, cools: false } },
    { on: [429], code: ['rate_limit_error'], means: { ...rateLimited, weak: true } },
    { on: [500], code: ['api_error', 'timeout_error'], means: upstreamError },
    challenge,
    ...byStatus,
  ],
  hint,
  errorInOk: false,
}

const lifecycle = new Set(['message_start', 'ping'])

/** The beta that an OAuth token needs. */
const oauthBeta = 'oauth-2025-04-20'

/** Whether a secret is an access token of a Claude login, such as `claude setup-token` prints, whatever it was given as. */
export function isLoginToken(secret: string): boolean {
  return secret.startsWith('sk-ant-oat')
}

/** The Anthropic API, with keys and with Claude login tokens. */
export const anthropic: Dialect = {
  provider: 'anthropic',
  defaultBaseUrl: 'https://api.anthropic.com',
  keyHeaders: ['authorization', 'x-api-key'],
  inject(headers, { secret, kind }) {
    if (kind === 'api-key' && !isLoginToken(secret)) {
      setHeader(headers, 'x-api-key', secret)
      return
    }
    dropHeader(headers, 'x-api-key')
    setBearer(headers, secret)
    addToList(headers, 'anthropic-beta', oauthBeta)
  },
  model: (_path, body) => familyOf(text(fields(body).model)),
  modelInBody: true,
  errorInOk: table.errorInOk,
  classify: (facts, now) => classifyResponse(table, facts, now),
  classifyEvent(event, now) {
    const root = rootOf(readJson(event.data))
    const type = text(root.type) || event.event || ''
    if (lifecycle.has(type)) return 'lifecycle'
    return type === 'error' ? decide(table, signalOfEvent(root, fields(root.error), false), now) : 'content'
  },
  error: ({ status, code, message, retryAfterSeconds }) => {
    const error = { type: errorType(status), code, message }
    return answer(status, { type: 'error', error }, retryAfterSeconds)
  },
  exhausted: anthropicExhausted,
  probe: probeOf('/v1/models'),
  // Claude Code opens with such a HEAD of `/` or `/api/hello` and only wants to see that somebody is there.
  local: (method, path, hasKey) =>
    method === 'HEAD' && (!hasKey || /^\/?(?:\?|$)/.test(path)) ? { status: 200, headers: {}, body: '' } : null,
}

/** `opus` of `claude-opus-4-1`, `sonnet` of `claude-3-5-sonnet-20241022`; the whole name where it holds no family. */
function familyOf(model: string): ModelFamily | null {
  return /claude[-.\d]*-([a-z]+)/i.exec(model)?.[1]?.toLowerCase() ?? (model || null)
}

function rejects(kind: 'shared' | 'family'): (signal: Signal) => boolean {
  return (signal) => rejectedWindows(signal).some((window) => window.kind === kind)
}

function latestReset(signal: Signal, kind: 'shared' | 'family', now: At): At | null {
  const windows = rejectedWindows(signal).filter((window) => window.kind === kind)
  return latest(windows.map((window) => atEpoch(window.reset, now)))
}

/** The family that the rejected windows name; null (then it is the request's) when they name several or in riddles. */
function onlyFamily(signal: Signal): ModelFamily | null {
  const families = familiesOf(signal)
  return families.length === 1 ? families[0]! : null
}

/**
 * The refusal is about usage beyond the plan, which only this request asks for. Accounts without such usage say why on
 * every answer: that alone does not make a passing rate limit into one.
 */
function wantsExtraUsage(signal: Signal, now: At): boolean {
  if (/\bextra usage\b/i.test(signal.message)) return true
  const disabled = signal.header(`${prefix}unified-overage-disabled-reason`) !== undefined
  return disabled && (refusedAsWhole(signal) || hint(signal, now) === null)
}

function refusedAsWhole({ header }: Signal): boolean {
  return header(`${prefix}unified-status`) === 'rejected'
}

/** Nothing says which limit was hit: such a 429 is about the request. */
function namesNoLimit(signal: Signal, now: At): boolean {
  return hint(signal, now) === null && !signal.headerNames().some((name) => name.startsWith(prefix))
}

function errorType(status: LocalError['status']): string {
  switch (status) {
    case 401:
      return 'authentication_error'
    case 403:
      return 'permission_error'
    case 404:
      return 'not_found_error'
    case 413:
      return 'request_too_large'
    case 429:
      return 'rate_limit_error'
    case 503:
    case 529:
      return 'overloaded_error'
    default:
      return status < 500 ? 'invalid_request_error' : 'api_error'
  }
}
