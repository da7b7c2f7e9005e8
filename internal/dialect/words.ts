import type { Profile } from './profile.ts'
import {
  accountBilling,
  accountClosed,
  atCapacity,
  authExpired,
  authRejected,
  byStatus,
  egressBlocked,
  isHtml,
  overloaded,
  phrase,
  plan,
  quota,
  type Row,
  rateLimited,
  requestFault,
  upstreamError,
} from './rows.ts'
import type { Signal } from './signal.ts'
import { beijing } from './zones.ts'

/*
 * What codes and sentences mean at every provider, whatever the status. A word stands here only if it cannot mean
 * something else anywhere; what is ambiguous stands with the provider that uses it. A sentence is anchored at its
 * beginning, or read only under a status with which upstreams do not quote requests back.
 */

/** Statuses under which a sentence is the upstream's own: validation, which quotes requests, answers 400, 404, 413 or 422. */
const own = [401, 402, 403, 412, 429, 498, 503]
const loads = [429, 498, 500, 502, 503, 529]

/** The request would fail with anybody: a safety block, a context too long, a model that this account may not use. */
const guards: readonly Row[] = [
  {
    code: [
      'context_length_exceeded',
      'previous_response_not_found',
      'cyber_policy',
      'content_filter',
      'content_policy_violation',
      'ResponsibleAIPolicyViolation',
      'data_inspection_failed',
      'moderation_blocked',
    ],
    means: requestFault,
  },
  { code: ['invalid_encrypted_content'], means: { ...requestFault, reason: 'foreign-state' } },
  { code: /sensitivecontentdetected$/, means: requestFault },
  // The request alone exceeds the limit: no other member could serve it.
  { on: [413, 429], says: /^Request too large\b/i, means: requestFault },
  { code: ['base_resp 1026', 'base_resp 1027', 'base_resp 2013'], means: requestFault },
]

/** The upstream refuses the address that we come from. */
const addresses: readonly Row[] = [
  {
    code: [
      'ip_not_authorized',
      'unsupported_country_region_territory',
      'ip_not_in_allowed_range',
      'UNSUPPORTED_LOCATION',
    ],
    means: egressBlocked,
  },
  {
    on: [401, 403],
    says: /\bIP(?: address)? (?:is )?not (?:authori[sz]ed|allowed|in the allowed)\b|\bIP allowlist\b|^Access denied\. Please check your network settings\b/i,
    means: egressBlocked,
  },
  { on: [400, 403], says: phrase('User location is not supported for the API use'), means: egressBlocked },
  { on: [403], says: phrase('Country, region, or territory not supported'), means: egressBlocked },
  { when: isCloudflare, means: egressBlocked },
]

/** The upstream has too much to do. */
const loadWords: readonly Row[] = [
  { code: ['model_at_capacity'], means: atCapacity },
  { says: phrase('model is at capacity'), means: atCapacity },
  {
    code: [
      'server_is_overloaded',
      'overloaded_error',
      'engine_overloaded_error',
      'model_overloaded',
      'ServerOverloaded',
      'queue_exceeded',
      'capacity_exceeded',
      'flex_capacity_error',
      'resource_unavailable',
      'service_tier_capacity_exceeded',
      'MODEL_CAPACITY_EXHAUSTED',
      'ModelNotReadyException',
      'ModelLoadingError',
    ],
    means: overloaded,
  },
  { code: ['slow_down'], when: ({ status }) => status === 503, means: overloaded },
  {
    on: loads,
    says: /\b(?:is|are) (?:currently |temporarily )*overloaded\b|\bModel service overloaded\b|\bserver overload\b|\bover capacity\b|\b(?:experiencing|currently) (?:very )?high (?:demand|traffic|load)\b|\bduring peak load\b|^(?:Service|Server|System) is too busy\b|^No capacity available\b|\bcapacity (?:is )?exceeded\b/i,
    means: overloaded,
  },
]

/** A window of usage is used up. */
const windowWords: readonly Row[] = [
  { code: ['usage_limit_reached', 'quota_exhausted'], means: quota },
  { code: ['AccountQuotaExceeded', 'base_resp 2056'], means: { ...quota, zone: beijing } },
  { code: /^user\w*(?:weekly|monthly|daily|session)\w*ratelimited$/, means: quota },
  { on: [402, 429], code: ['quota_exceeded'], means: quota },
  {
    says: /^You(?:'|’)ve (?:reached|hit|exceeded|used up) your (?:[\w-]+ |\([\w -]+\) )*(?:usage|weekly|monthly|daily) (?:rate )?(?:limit|quota)\b/i,
    means: quota,
  },
  {
    on: own,
    says: /\b(?:usage|weekly|monthly|daily|5-hour) (?:usage )?(?:limit|quota) (?:has been |was )?(?:reached|exceeded|exhausted)\b|\bexceeded (?:the|your) [\w-]+ usage (?:quota|limit)\b|\btoo many tokens per day\b|\blimited to \d+ API calls \/ month\b/i,
    means: quota,
  },
  {
    on: own,
    says: /已达到.{0,20}(?:使用)?上限|(?:额度|配额)已?(?:用尽|用完|耗尽)/,
    means: { ...quota, zone: beijing },
  },
]

/** Money has run out, or the plan has ended. */
const balanceWords: readonly Row[] = [
  {
    code: [
      'insufficient_quota',
      'credit_balance_exhausted',
      'insufficient_balance',
      'insufficient_credits',
      'insufficient_funds',
      'exceeded_current_quota_error',
      'billing_error',
      'billing_hard_limit_reached',
      'billing_not_active',
      'payment_required_error',
      'credit_limit',
      'Arrearage',
      'PrepaidBillOverdue',
      'PostpaidBillOverdue',
      'AccountOverdueError',
      'OperationDenied.ServiceOverdue',
      'BILLING_DISABLED',
      'INSUFFICIENT_G1_CREDITS_BALANCE',
      'base_resp 1008',
    ],
    means: accountBilling,
  },
  { code: /(?:spend|usage)limitexceeded$|spend(?:ing)?limit(?:reached)?$/, means: accountBilling },
  { code: ['usage_not_included', 'InvalidSubscription', 'CommodityNotPurchased'], means: plan },
  {
    on: own,
    says: /\binsufficient (?:account )?(?:balance|credits?|funds)\b|\bbalance is (?:insufficient|too low|not enough)\b|\b(?:out of|used all available) credits\b|\bcredits? (?:are |is |have |has )?(?:been )?(?:depleted|exhausted|expired)\b|\b(?:reached|reaching|exceeded|over) (?:its|your|the) (?:monthly )?spend(?:ing)? limit\b|\bbilling (?:is )?not (?:active|enabled)\b|余额不足|欠费/i,
    means: accountBilling,
  },
]

/** The key or its account is dead, or a person has to act before it is of use again. */
const deadWords: readonly Row[] = [
  {
    code: [
      'account_deactivated',
      'deactivated_workspace',
      'organization_disabled',
      'organization_on_hold',
      'organization_restricted',
      'claude_code_key_creator_not_member',
      'account_not_member',
      'org_access_revoked',
      'verification_required',
      'VALIDATION_REQUIRED',
      'CONSUMER_SUSPENDED',
      'SERVICE_DISABLED',
      'API_KEY_SERVICE_BLOCKED',
      'TOS_VIOLATION',
      'InvalidAccountStatus',
    ],
    means: accountClosed,
  },
  { code: deadKeys(), when: ({ oauth }) => oauth, means: authExpired },
  { code: deadKeys(), means: authRejected },
  { says: deadSentence(), when: deadStatus(true), means: authExpired },
  { says: deadSentence(), when: deadStatus(false), means: authRejected },
  {
    on: [401, 403],
    says: /\baccount (?:[\w<>-]+ ){0,3}(?:has been|is|was) (?:suspended|banned|disabled|deactivated|terminated|locked)\b|^(?:Organization access has been revoked|Account is no longer a member|Access for this organization is on hold|Verify your account)\b/i,
    means: accountClosed,
  },
]

/** A limit on requests or tokens, told by a word. */
const limitWords: readonly Row[] = [
  { on: [429], code: ['slow_down'], means: { ...rateLimited, reason: 'slow-down', forMs: 5_000 } },
  // OpenAI's word, and its limits are the organisation's.
  { on: [429], code: ['rate_limit_exceeded'], means: { ...rateLimited, scope: 'domain' } },
  {
    on: [429],
    code: /^(?:ratelimit(?!error)|throttling|toomany(?:tokens|requests(?=error))|tokenquota|requestquota|limitrequests|modelratelimit)/,
    means: rateLimited,
  },
  { code: ['base_resp 1002', 'base_resp 1039', 'base_resp 1041', 'base_resp 2045'], means: rateLimited },
]

/** Words that only repeat what a status says, for where there is none: inside a stream. */
const vagueWords: readonly Row[] = [
  {
    on: [429],
    code: ['rate_limit_error', 'too_many_requests', 'requests', 'tokens'],
    means: { ...rateLimited, weak: true },
  },
  { on: [500], code: ['server_error', 'internal_error', 'api_error', 'timeout_error'], means: upstreamError },
]

const words: readonly Row[] = [
  ...addresses,
  ...loadWords,
  // DashScope calls a minute's limit on tokens `insufficient_quota`.
  { on: [429], says: /^Allocated quota exceeded\b|\/error-code#token-limit\b/i, means: { ...rateLimited, hint: null } },
  ...windowWords,
  ...balanceWords,
  ...deadWords,
  ...limitWords,
]

/** All rows of a provider in the order of evidence: request faults, its own words, those of all, its statuses, those of all. */
export function inOrder({ rows = [], statuses = [] }: Pick<Profile, 'rows' | 'statuses'>): readonly Row[] {
  return [...guards, ...rows, ...words, ...statuses, ...vagueWords, ...byStatus]
}

function deadKeys(): string[] {
  return [
    'invalid_api_key',
    'wrong_api_key',
    'incorrect_api_key',
    'api_key_invalid',
    'api_key_expired',
    'api_key_disabled',
    'InvalidApiKey',
    'AuthenticationError',
    'invalid_authentication_error',
    'UnrecognizedClientException',
    'ExpiredTokenException',
    'base_resp 1004',
    'base_resp 2049',
  ]
}

function deadSentence(): RegExp {
  return /^(?:Incorrect|Invalid|Wrong|Expired) API[ -]?(?:key|token)\b(?! format)|^(?:The |Your )?(?:provided )?API[ -]?key (?:is |has |was )*(?:invalid|not valid|expired|revoked|disabled|deleted|been|reported as leaked)\b|^Bearer Token has expired\b|^Authorization failed$|^Authentication (?:Fails|failed)\b/i
}

function deadStatus(login: boolean): (signal: Signal) => boolean {
  return ({ status, oauth }) => oauth === login && (status === null || [400, 401, 403].includes(status))
}

/**
 * A challenge or a refusal of Cloudflare's (error 1006 to 1020) instead of an answer: it stands between us and the upstream
 * and limits the address, whoever asks.
 */
function isCloudflare({ header, text }: Signal): boolean {
  if (header('cf-mitigated') !== undefined) return true
  if (/^\s*error code: 10(?:0[6-9]|1\d|20)\s*$/.test(text)) return true
  return (
    isHtml(text) &&
    /\/cdn-cgi\/challenge-platform\/|Just a moment|\bError(?: code:?)? 10(?:0[6-9]|1\d|20)\b|used Cloudflare to restrict access/i.test(
      text,
    )
  )
}
