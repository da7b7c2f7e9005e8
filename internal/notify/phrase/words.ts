import type { DomainEvent } from '../../events/events.ts'
import type { At } from '../incident/notice.ts'

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

/** How long something took, in the two largest units that people say: `45 s`, `12 min`, `3 h 5 min`, `2 d 4 h`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000))
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  if (minutes < 24 * 60) return pair(Math.floor(minutes / 60), 'h', minutes % 60, 'min')
  const hours = Math.round(minutes / 60)
  return pair(Math.floor(hours / 24), 'd', hours % 24, 'h')
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`
}

/** Says instants as a clock on the wall does: `14:05`, and with the date when that is not today's. */
export type Wall = (at: At, now: At) => string

/** The wall clock of a time zone (an IANA name); the machine's own when there is none. */
export function wallClock(timeZone?: string): Wall {
  // Swedish dates are ISO 8601: 2026-01-05 14:05.
  const format = new Intl.DateTimeFormat('sv-SE', {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    ...(timeZone === undefined ? {} : { timeZone }),
  })
  const parts = (at: At) => format.format(at).split(' ')
  return (at, now) => {
    const [date = '', time = ''] = parts(at)
    return date === parts(now)[0] ? time : `${date} ${time}`
  }
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
