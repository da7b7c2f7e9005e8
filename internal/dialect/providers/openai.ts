import type { Profile } from '../profile.ts'
import { type Row, rateLimited } from '../rows.ts'
import { type Signal, text } from '../signal.ts'

const rows: readonly Row[] = [
  // Limits on requests and tokens are those of one model, for the whole organisation; without a model's name the organisation rests.
  {
    on: [429],
    code: ['rate_limit_exceeded'],
    says: /^Rate limit reached for \S+ (?:in organization \S+ )?on (?:tokens|requests) per\b/i,
    when: hasStatus,
    means: { ...rateLimited, scope: 'domain-model' },
  },
]

/** The OpenAI API. Its codes are those that all APIs of its shape share. */
export const openai: Profile = {
  provider: 'openai',
  offers: { openai: { baseUrl: 'https://api.openai.com', secretHeader: 'authorization', probe: '/v1/models' } },
  rows,
  statuses: [
    {
      on: [429],
      when: ({ error, root }) => [error.type, error.code, root.code, root.type].every((code) => text(code) === ''),
      means: { ...rateLimited, reason: 'burst', weak: true, forMs: 3_000 },
    },
  ],
}

/** Inside a stream the limit is told without headers, in a sentence alone: then the whole organisation rests for it. */
function hasStatus({ status }: Signal): boolean {
  return status !== null
}
