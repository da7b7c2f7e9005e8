import { Secret } from '../vault/vault.ts'
import { chatGptClaims } from './oauth/formats.ts'
import { claimsOf, type TokenSet } from './oauth/tokens.ts'

/** Whose credential it is, as far as it says by itself; nothing of it opens anything. */
export interface Identity {
  /** An e-mail address, where a login names one. */
  readonly account: string | null
  /** The provider's own id of the account. */
  readonly accountId: string | null
  readonly plan: string | null
  /** The same only for the same key in this installation: 8 hexadecimal digits. */
  readonly fingerprint: string | null
  /** The last four characters of a long key, as providers show them. */
  readonly ending: string | null
}

const nobody: Identity = { account: null, accountId: null, plan: null, fingerprint: null, ending: null }

/** Keys that are shorter would be told by four characters more than is good. */
const shortestKey = 24

/** Who a key or a login is; `null`: nothing is held of it now. */
export function identityOf(held: Secret | TokenSet | null, fingerprint: (secret: Secret) => string): Identity {
  if (held === null) return nobody
  if (held instanceof Secret) {
    const key = held.reveal()
    return { ...nobody, fingerprint: fingerprint(held), ending: key.length < shortestKey ? null : key.slice(-4) }
  }
  return { ...nobody, ...accountOf(held) }
}

/** The account that tokens were given to, and its plan. */
export function accountOf(tokens: TokenSet): Pick<Identity, 'account' | 'accountId' | 'plan'> {
  const claims = claimsOf(tokens.idToken?.reveal() ?? '')
  const chatGpt = chatGptClaims(claims)
  return {
    account: word(claims?.email) ?? tokens.account ?? null,
    accountId: tokens.accountId,
    plan: word(chatGpt?.chatgpt_plan_type) ?? tokens.plan ?? null,
  }
}

/** Which account gave way to which, by e-mail address or else by id; null when it is the same, or nobody knows. */
export function accountChange(before: TokenSet, after: TokenSet): { before: string; after: string } | null {
  const [one, other] = [accountOf(before), accountOf(after)]
  const differing = (['account', 'accountId'] as const).map((field) => ({ before: one[field], after: other[field] }))
  for (const { before: was, after: is } of differing)
    if (was !== null && is !== null && was !== is) return { before: was, after: is }
  return null
}

function word(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
