import type { DomainEvent } from '../../events/events.ts'

type Reason = NonNullable<DomainEvent['reason']>

const reasons: Readonly<Record<Reason, string>> = {
  ok: 'well',
  'rate-limited': 'rate limit',
  burst: 'rate limit',
  'slow-down': 'asked to slow down',
  quota: 'usage limit',
  billing: 'billing',
  plan: 'not in its plan',
  'model-quota': 'usage limit of a model',
  'model-missing': 'no access to the model',
  'auth-expired': 'access token expired',
  'auth-rejected': 'key rejected',
  'account-closed': 'account closed',
  'refresh-rejected': 'refresh token revoked',
  'refresh-uncertain': 'the answer to its refresh was lost',
  unreadable: 'its secret cannot be read',
  overloaded: 'overloaded',
  capacity: 'model at capacity',
  'upstream-error': 'upstream error',
  outlier: 'fails while others succeed',
  connect: 'connection failed',
  reset: 'connection broke',
  timeout: 'no answer in time',
  protocol: 'answer was not HTTP',
  'request-fault': 'request refused',
  'foreign-state': 'state of another account',
  'egress-blocked': 'network refused',
  'client-gone': 'client left',
  operator: 'by an operator',
  preempted: 'near its limit',
  capped: 'used up to its cap',
  disabled: 'switched off',
  active: 'runs already',
  'nothing-pending': 'nothing waits',
  'deploy-locked': 'a deployment holds its lock',
  'storage-unreadable': 'storage unreadable',
  'marked-running': 'jobs are marked running',
  'needs-person': 'its pool needs a person',
  'check-failed': 'its checks do not answer',
  'not-a-mountpoint': 'not a mountpoint',
  'outside-root': 'outside of its root',
  'not-stale': 'not stale',
  busy: 'running work uses it',
  failed: 'a step failed',
}

/** A reason in plain words, such as `429 rate limit`; null when neither reason nor status is known. */
export function cause(reason: DomainEvent['reason'], status: number | null): string | null {
  const words = [status === null ? null : String(status), reason === null ? null : (reasons[reason] ?? reason)]
  return words.filter((word) => word !== null).join(' ') || null
}

/** A size as people say it: `1.2 GiB`, `340 MiB`, `12 B`. */
export function size(bytes: number): string {
  const steps = [
    ['TiB', 1024 ** 4],
    ['GiB', 1024 ** 3],
    ['MiB', 1024 ** 2],
    ['KiB', 1024],
  ] as const
  const [unit, factor] = steps.find(([, least]) => bytes >= least) ?? ['B', 1]
  const value = bytes / factor
  return `${factor > 1 && value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`
}

/** `1 request`, `418 requests`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}

const mostCharacters = 300

/**
 * Text of unknown origin on one line: without control and direction-changing characters, and at most 300 characters long.
 * Channels send plain text, so markup needs no escape.
 */
export function plain(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()
  return line.length > mostCharacters ? `${line.slice(0, mostCharacters - 1)}…` : line
}

/** The name as it stands in a sentence. */
export function nameOf(name: string | null): string {
  return name === null ? 'nobody' : plain(name)
}

/** ` (a, b)`, without those that say nothing; empty when none says anything. */
export function inParentheses(words: readonly (string | null)[]): string {
  const said = words.filter((word) => word !== null && word !== '')
  return said.length === 0 ? '' : ` (${said.join(', ')})`
}

/** What it has cost: `31 requests refused`, `nobody was refused`. */
export function costs(refused: number): string {
  return refused === 0 ? 'nobody was refused' : `${counted(refused, 'request')} refused`
}

/** What it has cost, as a sentence: `Nobody was refused.`, `31 requests were refused.` */
export function costsInAll(refused: number): string {
  return refused === 0 ? 'Nobody was refused.' : `${counted(refused, 'request was', 'requests were')} refused.`
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}
