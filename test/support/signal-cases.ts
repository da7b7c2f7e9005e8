import { expect, test } from 'vitest'
import { dialectOf, type Provider, type Shape } from '../../internal/dialect/dialect.ts'
import type { Outcome } from '../../internal/pool/pool.ts'

/*
 * What the table tests of signals share: how a case is written down, and the usual meanings. All cases happen at `now`, a
 * summer's noon of UTC.
 */
export const now = Date.parse('2026-05-01T12:00:00Z')
export const second = 1_000
export const minute = 60 * second
export const hour = 60 * minute
export const day = 24 * hour

const inMs = (ms: number) => now + ms
export const epoch = (ms: number) => String((now + ms) / 1_000)
export const iso = (ms: number) => new Date(now + ms).toISOString()

/** One answer and what it means; `body` is text as it came, or a value that is sent as JSON. */
export interface Case {
  readonly name: string
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly oauth?: true
  readonly means: Partial<Outcome>
}

/** What a row leaves out: strong evidence on the member, no hint, no fixed length. */
const usual = { evidence: 'strong', scope: 'member', model: null, until: null, forMs: null, cools: true } as const

type Meaning = Partial<Outcome>
export const success: Meaning = { kind: 'success', reason: 'ok' }
export const requestFault: Meaning = { kind: 'request-fault', reason: 'request-fault' }
export const egressBlocked: Meaning = { kind: 'egress-blocked', reason: 'egress-blocked' }
export const overloaded: Meaning = { kind: 'overloaded', reason: 'overloaded' }
export const atCapacity: Meaning = { kind: 'overloaded', reason: 'capacity', scope: 'model' }
export const upstreamError: Meaning = { kind: 'upstream-error', reason: 'upstream-error' }
export const rateLimited: Meaning = { kind: 'rate-limited', reason: 'rate-limited' }
export const bareRateLimited: Meaning = { ...rateLimited, evidence: 'weak' }
/** A limit on one model, told by a status alone. */
export const bareModelLimit: Meaning = { ...bareRateLimited, scope: 'model' }
export const billing: Meaning = { kind: 'quota-exhausted', reason: 'billing', forMs: hour }
export const accountBilling: Meaning = { ...billing, scope: 'domain' }
export const quota: Meaning = { kind: 'quota-exhausted', reason: 'quota', forMs: hour }
export const plan: Meaning = { ...quota, reason: 'plan' }
export const modelQuota: Meaning = { ...quota, reason: 'model-quota', scope: 'model' }
export const modelMissing: Meaning = { ...modelQuota, reason: 'model-missing', forMs: 12 * hour }
export const authRejected: Meaning = { kind: 'auth-rejected', reason: 'auth-rejected' }
export const bareAuthRejected: Meaning = { ...authRejected, evidence: 'weak' }
export const accountClosed: Meaning = { kind: 'auth-rejected', reason: 'account-closed' }
export const authExpired: Meaning = { kind: 'auth-expired', reason: 'auth-expired' }
export const until = (ms: number): Meaning => ({ until: inMs(ms), forMs: null, evidence: 'strong' })

/** An error body of OpenAI's shape. */
export const coded = (code: string | null, message = 'No.', type: string | null = null) => ({
  error: { message, type, param: null, code },
})
/** A used-up window of OpenAI's shape. */
export const limit = (resets: object) => ({ error: { type: 'usage_limit_reached', message: 'Enough.', ...resets } })

/** A test for each case of one provider, in one of its shapes. */
export function table(provider: Provider, cases: readonly Case[], shape: Shape | null = null): void {
  test.each(cases)('$name', ({ means, status, body, headers = {}, oauth = false }) => {
    const facts = {
      status,
      header: (name: string) => headers[name],
      headerNames: () => Object.keys(headers),
      body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
      oauth,
    }
    expect(dialectOf(provider, shape).classify(facts, now)).toEqual({ ...usual, status, ...means })
  })
}

/** The beginning of a stream and what it means. */
export interface EventCase {
  readonly name: string
  readonly event?: string
  readonly data: unknown
  readonly oauth?: true
  readonly means: 'lifecycle' | 'content' | Partial<Outcome>
}

/** A test for each event; `event` is the SSE event name, `data` text as it came, or a value that is sent as JSON. */
export function events(provider: Provider, cases: readonly EventCase[], shape: Shape | null = null): void {
  test.each(cases)('$name', ({ event = null, data, oauth, means }) => {
    const text = typeof data === 'string' ? data : JSON.stringify(data)
    const meaning = dialectOf(provider, shape).classifyEvent({ event, data: text }, now, oauth)
    if (typeof means === 'string') expect(meaning).toBe(means)
    else expect(meaning).toMatchObject(means)
  })
}
