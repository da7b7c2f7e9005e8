import { accountBilling, accountClosed, authExpired, authRejected, plan, quota, type Row } from '../rows.ts'
import type { Signal } from '../signal.ts'
import { beijing } from '../zones.ts'

/** Statuses under which a sentence is the upstream's own: validation, which quotes requests, answers 400, 404, 413 or 422. */
const own = [401, 402, 403, 412, 429, 498, 503]

/** A window of usage is used up. */
export const windowWords: readonly Row[] = [
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
export const balanceWords: readonly Row[] = [
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
export const deadWords: readonly Row[] = [
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
