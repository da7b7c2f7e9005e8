import type { At, ModelFamily, Outcome, OutcomeKind, Reason, Scope } from '../pool/pool.ts'
import { latest } from './hints.ts'
import type { ResponseFacts } from './port.ts'
import { resetIn } from './sentence.ts'
import { failedResult, isFields, readJson, rootOf, type Signal, signalOfResponse, wordOf } from './signal.ts'

/** Reads the hint of a signal; null when it gives none. */
export type Hint = (signal: Signal, now: At) => At | null

/** What a row of the table of signals says that a signal means. */
export interface Meaning {
  readonly kind: OutcomeKind
  readonly reason: Reason
  /** `member` unless the row names another scope. */
  readonly scope?: Scope
  /** The family, where the upstream itself names it. */
  readonly model?: (signal: Signal) => ModelFamily | null
  /** A client could have provoked it: weak evidence, unless a hint comes along. */
  readonly weak?: true
  /** How long, in ms, when there is no hint; left out: the default back-off. */
  readonly forMs?: number
  /** Another source of hints than the dialect's; null when hints do not count here. */
  readonly hint?: Hint | null
  /** The time zone of instants in the sentence, in minutes east of UTC, where it is not the dialect's. */
  readonly zone?: number
  /** false: another member may be tried, but this one is left alone. */
  readonly cools?: false
}

/** One row of the table of signals; all that it names must hold. */
export interface Row {
  /** The statuses. Inside a stream, where there is none, a code or a sentence stands for its status. */
  readonly on?: readonly number[]
  /** The signal carries one of these codes, in whatever spelling, or one whose `wordOf` matches. */
  readonly code?: readonly string[] | RegExp
  /** What the sentence says. */
  readonly says?: RegExp
  readonly when?: (signal: Signal, now: At) => boolean
  readonly means: Meaning
}

/** The rows of one dialect, in the order of evidence, and where its hints are. */
export interface Table {
  readonly rows: readonly Row[]
  readonly hint: Hint
  /** The time zone of instants in sentences that name none, in minutes east of UTC; null when it is not known. */
  readonly zone: number | null
  /** Whether the whole body of a 2xx answer can be an error. */
  readonly errorInOk: boolean
}

const hourMs = 3_600_000

/** This request would fail with any member: passed through, nobody is moved. */
export const requestFault: Meaning = { kind: 'request-fault', reason: 'request-fault' }
/** The upstream refuses where we come from, not who asks. */
export const egressBlocked: Meaning = { kind: 'egress-blocked', reason: 'egress-blocked' }
/** The upstream has too much to do. */
export const overloaded: Meaning = { kind: 'overloaded', reason: 'overloaded' }
/** The upstream has no room for this model at present, which another member may have: one hop, and nobody is cooled. */
export const atCapacity: Meaning = { ...overloaded, reason: 'capacity', scope: 'model' }
/** The upstream failed. */
export const upstreamError: Meaning = { kind: 'upstream-error', reason: 'upstream-error' }
/** A limit on requests or tokens: until the hint, else the default back-off. */
export const rateLimited: Meaning = { kind: 'rate-limited', reason: 'rate-limited' }
/** A window of usage is used up: until its reset, else 1 h. */
export const quota: Meaning = { kind: 'quota-exhausted', reason: 'quota', forMs: hourMs }
/** A window of usage of one model is used up. */
export const modelQuota: Meaning = { ...quota, reason: 'model-quota', scope: 'model' }
/** The account has no access to the model: waiting does not help soon. */
export const modelMissing: Meaning = { ...modelQuota, reason: 'model-missing', forMs: 12 * hourMs, hint: null }
/** Money has run out: 1 h without a hint. */
export const billing: Meaning = { kind: 'quota-exhausted', reason: 'billing', forMs: hourMs }
/** Money of the account has run out, and so for all of its keys. */
export const accountBilling: Meaning = { ...billing, scope: 'domain' }
/** The plan has ended or does not include this. */
export const plan: Meaning = { ...quota, reason: 'plan' }
/** The key is not accepted: the canonical probe decides. */
export const authRejected: Meaning = { kind: 'auth-rejected', reason: 'auth-rejected' }
/** The account, organisation or workspace is closed: the canonical probe decides. */
export const accountClosed: Meaning = { kind: 'auth-rejected', reason: 'account-closed' }
/** An access token that a refresh may mend. */
export const authExpired: Meaning = { kind: 'auth-expired', reason: 'auth-expired' }

const success: Meaning = { kind: 'success', reason: 'ok' }

/** What the status alone means when nothing more precise was said; what is not here is the request's fault. */
export const byStatus: readonly Row[] = [
  { on: [401], when: ({ oauth }) => oauth, means: authExpired },
  { on: [401], means: { ...authRejected, weak: true } },
  { on: [402], means: billing },
  { on: [429], means: { ...rateLimited, weak: true } },
  { on: [529], means: overloaded },
  { when: ({ status }) => status !== null && status >= 500, means: upstreamError },
]

/** Whether the text is a page and no API answer. */
export function isHtml(text: string): boolean {
  return /^\s*</.test(text)
}

/**
 * Matches a whole phrase of an upstream's own sentence: nothing but words may come before it, no colon or quote on
 * either side, so that a request which the upstream quotes back cannot speak in its name.
 */
export function phrase(words: string): RegExp {
  return new RegExp(`^(?:[\\w ,-]+ )?${words}(?=[\\s.,;!(]|$)`, 'i')
}

/** A table whose codes are spelt as signals spell them. */
export function tableOf(rows: readonly Row[], about: Omit<Table, 'rows'>): Table {
  return { rows: rows.map(spelt), ...about }
}

function spelt(row: Row): Row {
  return Array.isArray(row.code) ? { ...row, code: row.code.map(wordOf) } : row
}

/** What a whole response means. */
export function classifyResponse(table: Table, facts: ResponseFacts, now: At): Outcome {
  const { status, body } = facts
  const ok = (status >= 200 && status < 300) || status === 101 || status === 304
  if (ok && !(table.errorInOk && body !== null && isWholeError(body))) return successOf(status)
  return decide(table, signalOfResponse(facts), now)
}

/** The outcome of the first row that fits; a request fault, which moves nobody, when none does. */
export function decide(table: Table, signal: Signal, now: At): Outcome {
  const row = table.rows.find((row) => fits(row, signal, now))
  const means = row?.means ?? requestFault
  const until = row && isLimit(means) ? untilOf(table, { row, signal }, now) : null
  return { ...outcomeOf(means, until), status: signal.status, model: means.model?.(signal) ?? null }
}

function isLimit({ kind }: Meaning): boolean {
  return kind === 'rate-limited' || kind === 'quota-exhausted'
}

/** The end of a limit: where fields say it; else, and for a window also if it is later, what the sentence says. */
function untilOf(table: Table, { row, signal }: { row: Row; signal: Signal }, now: At): At | null {
  const { hint = table.hint, zone = table.zone, kind } = row.means
  if (hint === null) return null
  const told = hint(signal, now)
  // A status alone has not said that a limit is used up: then the sentence may speak of anything.
  const explained = row.code !== undefined || row.says !== undefined || row.when !== undefined
  if (!explained || (told !== null && kind === 'rate-limited')) return told
  return latest([told, resetIn(signal.message, zone, now)])
}

const successes = new Map<number, Outcome>()

/** Nearly every answer is one of these, so there is one object for each status. */
function successOf(status: number): Outcome {
  const known = successes.get(status)
  if (known) return known
  const outcome = { ...outcomeOf(success, null), status, model: null }
  successes.set(status, outcome)
  return outcome
}

/** The whole body is an error: nothing in it is an answer (a stored operation that failed has a name). */
function isWholeError(body: string): boolean {
  const root = rootOf(readJson(body))
  if (failedResult(root) !== null || root.success === false) return true
  return isFields(root.error) && !['choices', 'output', 'data', 'name'].some((part) => part in root)
}

function fits({ on, code, says, when }: Row, signal: Signal, now: At): boolean {
  if (on && !(signal.status === null ? (code ?? says) : on.includes(signal.status))) return false
  if (code && ![...signal.codes].some((word) => (code instanceof RegExp ? code.test(word) : code.includes(word)))) {
    return false
  }
  return (says?.test(signal.message) ?? true) && (when?.(signal, now) ?? true)
}

function outcomeOf(means: Meaning, until: At | null): Omit<Outcome, 'status' | 'model'> {
  return {
    kind: means.kind,
    reason: means.reason,
    evidence: means.weak && until === null ? 'weak' : 'strong',
    scope: means.scope ?? 'member',
    until,
    forMs: until === null ? (means.forMs ?? null) : null,
    cools: means.cools ?? true,
  }
}
