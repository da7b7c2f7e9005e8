import type { Profile } from '../profile.ts'
import { byStatus, type Row, rateLimited, requestFault } from '../rows.ts'
import { balanceWords, deadWords, windowWords } from './account-words.ts'
import { addresses } from './egress-words.ts'
import { limitWords, loadWords, vagueWords } from './traffic-words.ts'

/*
 * What codes and sentences mean at every provider, whatever the status. A word stands here only if it cannot mean
 * something else anywhere; what is ambiguous stands with the provider that uses it. A sentence is anchored at its
 * beginning, or read only under a status with which upstreams do not quote requests back.
 */

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
