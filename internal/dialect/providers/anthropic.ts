import type { At, ModelFamily } from '../../pool/pool.ts'
import { addToList, dropHeader, setBearer, setHeader } from '../headers.ts'
import { atEpoch, latest, retryAfter } from '../hints.ts'
import type { Profile } from '../profile.ts'
import {
  accountBilling,
  accountClosed,
  authExpired,
  egressBlocked,
  type Hint,
  modelQuota,
  phrase,
  plan,
  quota,
  type Row,
  rateLimited,
  requestFault,
} from '../rows.ts'
import { anthropicHint } from '../shapes/anthropic.ts'
import { type Signal, text } from '../signal.ts'
import { familiesOf, rejectedWindows } from '../unified.ts'

const prefix = 'anthropic-ratelimit-'

/** The reset of the unified limit as a whole, which is that of its representative window. */
const unifiedHint: Hint = (signal, now) =>
  atEpoch(signal.header(`${prefix}unified-reset`), now) ?? retryAfter(signal.header, now)

const sharedHint: Hint = (signal, now) => latestReset(signal, 'shared', now) ?? unifiedHint(signal, now)
const familyHint: Hint = (signal, now) => latestReset(signal, 'family', now) ?? unifiedHint(signal, now)

/** Anthropic's own words; those of its endpoint's imitators are in the table that all share. */
const rows: readonly Row[] = [
  { on: [400, 403], says: phrase('only authorized for use with Claude Code'), means: requestFault },
  { on: [400], says: /^You have reached your specified (?:workspace )?API usage limits\b/i, means: accountBilling },
  { on: [400], code: ['invalid_request_error'], says: phrase('credit balance is too low'), means: accountBilling },
  { on: [400], says: phrase('organization has been disabled'), means: accountClosed },
  { on: [401, 403], says: phrase('OAuth authentication is currently not allowed'), means: accountClosed },
  { on: [401], says: phrase('OAuth token has expired'), means: authExpired },
  { on: [401, 403], says: phrase('OAuth token has been revoked'), means: authExpired },
  { on: [403], code: ['forbidden'], says: /^Request not allowed$/i, means: egressBlocked },
  // Another account may have some left: only what needs it is refused.
  { on: [400, 403, 429], says: /^You(?:'|’)re out of extra usage\b/i, means: { ...plan, cools: false } },
  { on: [429], says: phrase('exceed your fast mode rate limit'), means: { ...rateLimited, cools: false } },
  { on: [429], when: rejects('shared'), means: { ...quota, hint: sharedHint } },
  { on: [429], when: rejects('family'), means: { ...modelQuota, model: onlyFamily, hint: familyHint } },
  // After the windows, because a member whose window is used up mentions its extra usage too.
  { on: [429], when: wantsExtraUsage, means: requestFault },
  { on: [429], when: refusedAsWhole, means: { ...quota, hint: unifiedHint } },
]

const statuses: readonly Row[] = [
  { on: [429], when: isBare, means: { ...rateLimited, reason: 'burst', weak: true, cools: false } },
]

/** The beta that an OAuth token needs. */
const oauthBeta = 'oauth-2025-04-20'

/** Whether a secret is an access token of a Claude login, such as `claude setup-token` prints, whatever it was given as. */
export function isLoginToken(secret: string): boolean {
  return secret.startsWith('sk-ant-oat')
}

/** The Anthropic API, with keys and with Claude login tokens. */
export const anthropic: Profile = {
  provider: 'anthropic',
  offers: { anthropic: { baseUrl: 'https://api.anthropic.com', secretHeader: 'x-api-key', probe: '/v1/models' } },
  rows,
  statuses,
  inject(headers, { secret, kind }) {
    if (kind === 'api-key' && !isLoginToken(secret)) {
      setHeader(headers, 'x-api-key', secret)
      return
    }
    dropHeader(headers, 'x-api-key')
    setBearer(headers, secret)
    addToList(headers, 'anthropic-beta', oauthBeta)
  },
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
  const { header, headerNames, message } = signal
  if (/\b(?:extra usage|usage credits)\b/i.test(message)) return true
  if (header(`${prefix}unified-overage-disabled-reason`) === undefined) return false
  const tellsWindows = headerNames().some((name) => /^anthropic-ratelimit-unified-.*status$/.test(name))
  return refusedAsWhole(signal) || (!tellsWindows && anthropicHint(signal, now) === null)
}

function refusedAsWhole({ header }: Signal): boolean {
  return header(`${prefix}unified-status`) === 'rejected'
}

/** Anthropic itself says nothing of a limit: such a 429 is about the request. Whoever imitates it limits the key. */
function isBare(signal: Signal, now: At): boolean {
  const { header, headerNames, root } = signal
  const isTheirs =
    header('request-id') !== undefined ||
    header('anthropic-organization-id') !== undefined ||
    text(root.request_id).startsWith('req_')
  return isTheirs && anthropicHint(signal, now) === null && !headerNames().some((name) => name.startsWith(prefix))
}
