import { remembered } from './headers.ts'

/**
 * On which answer a client program stops asking an exhausted pool and shows why: `heeds-429` on `usage_limit_reached`,
 * `rate_limit_error` or `RESOURCE_EXHAUSTED`; `heeds-402` only on an answer that speaks of payment.
 */
export type ClientKind = 'heeds-429' | 'heeds-402'

/**
 * Measured, November 2026. Clients built on the AI SDK (opencode, cline) retry each 429. kimi-code sleeps through the
 * whole `Retry-After`. Continue asks again ten times over; it names itself by the class name that is left of its bundled
 * OpenAI SDK once minified: `ls/JS 6.1.0`, where others say `OpenAI/JS`.
 */
const heeding402 = /\bai-sdk\b|\bkimi-code-cli\/|^[\w$]{1,3}\/JS /

const kindOf = remembered((userAgent): ClientKind => (heeding402.test(userAgent) ? 'heeds-402' : 'heeds-429'))

/** On which answer the client that calls itself `userAgent` stops; who says nothing is taken for one that heeds 429. */
export function clientKind(userAgent: string | undefined): ClientKind {
  return userAgent === undefined ? 'heeds-429' : kindOf(userAgent)
}
