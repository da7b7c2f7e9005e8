import type { At } from '../../pool/pool.ts'
import { dropHeader, setBearer, setHeader } from '../headers.ts'
import { atEpoch, inSeconds, latestExhausted, type Window } from '../hints.ts'
import type { Profile } from '../profile.ts'
import { accountClosed, egressBlocked, type Hint, isHtml, modelQuota, type Row } from '../rows.ts'
import { openaiHint } from '../shapes/openai.ts'
import type { Signal } from '../signal.ts'

const accountHeader = 'chatgpt-account-id'

/** The body's reset; else that of the window of `x-codex-*` that is used up. */
const hint: Hint = (signal, now) => openaiHint(signal, now) ?? latestExhausted(windowsOf(signal, 'x-codex', now))

/** The same of an additional limit, whose windows have its name in front. */
const namedHint: Hint = (signal, now) =>
  openaiHint(signal, now) ?? latestExhausted(windowsOf(signal, `x-codex-${limitOf(signal)}`, now))

const rows: readonly Row[] = [
  { code: ['usage_limit_reached'], when: isAdditional, means: { ...modelQuota, hint: namedHint } },
  { code: ['invalid_workspace_selected'], means: accountClosed },
]

const statuses: readonly Row[] = [
  { on: [403], when: ({ text }) => text.trim() === '' || isHtml(text), means: egressBlocked },
  {
    on: [404],
    when: ({ text, header }) => text.trim() === '' && header('server')?.toLowerCase() === 'cloudflare',
    means: egressBlocked,
  },
]

/** The ChatGPT backend that Codex talks to. */
export const codex: Profile = {
  provider: 'codex',
  offers: {
    openai: { baseUrl: 'https://chatgpt.com/backend-api/codex', secretHeader: 'authorization', probe: null },
  },
  rows,
  statuses,
  hint,
  oauth: true,
  inject(headers, { secret, accountId }) {
    setBearer(headers, secret)
    // The account belongs to the token: the client's own would be refused or, worse, served from elsewhere.
    if (accountId === null) dropHeader(headers, accountHeader)
    else setHeader(headers, accountHeader, accountId)
  },
}

/** `x-codex-primary-*` and `x-codex-secondary-*`, or those of an additional limit. */
function windowsOf({ header }: Signal, prefix: string, now: At): Window[] {
  return ['primary', 'secondary'].map((window) => ({
    exhausted: Number(header(`${prefix}-${window}-used-percent`)) >= 100,
    at:
      atEpoch(header(`${prefix}-${window}-reset-at`), now) ??
      inSeconds(header(`${prefix}-${window}-reset-after-seconds`), now),
  }))
}

/** The name of the limit that was hit, as headers have it: `bengalfox` of `codex_bengalfox`; empty without one. */
function limitOf(signal: Signal): string {
  return nameOf(signal).replace(/^codex-?/, '')
}

function nameOf({ header }: Signal): string {
  return (header('x-codex-active-limit') ?? '').toLowerCase().replaceAll('_', '-')
}

/** Whether the limit is an additional one, which some models have: the plan's own (`codex`, `premium`) has no headers of its name. */
function isAdditional(signal: Signal): boolean {
  const name = nameOf(signal)
  const limit = limitOf(signal)
  if (limit === '') return false
  return name.startsWith('codex-') || signal.headerNames().some((header) => header.startsWith(`x-codex-${limit}-`))
}
