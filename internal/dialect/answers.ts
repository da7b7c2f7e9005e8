import type { At } from '../pool/pool.ts'
import type { Exhaustion, LocalAnswer } from './port.ts'

const secondMs = 1_000
const minuteMs = 60_000
const dayMs = 86_400_000

/** What an answer says, in seconds, when nobody can recover without a person (SIGNALS). */
const personSeconds = 3_600

/** SDKs sleep a Retry-After in full; a wait longer than this is sent only with `x-should-retry: false`. */
const longestSleepSeconds = 60

/** A JSON answer of our own; `retryAfter` in seconds. */
export function answer(status: number, body: object, retryAfter: number | null): LocalAnswer {
  const wait = retryAfter === null ? null : Math.max(1, Math.ceil(retryAfter))
  // Asking again mends neither a wrong request nor a long wait.
  const hopeless = status < 500 || (wait !== null && wait > longestSleepSeconds)
  const headers = {
    'content-type': 'application/json',
    ...(hopeless && { 'x-should-retry': 'false' }),
    ...(wait !== null && { 'retry-after': String(wait) }),
  }
  return { status, headers, body: JSON.stringify(body) }
}

/** How long until somebody can serve, in whole seconds, at least 1; one hour when a person must act first. */
export function waitSeconds({ retryAt }: Exhaustion, now: At): number {
  return retryAt === null ? personSeconds : Math.max(1, Math.ceil((retryAt - now) / secondMs))
}

/** The sentence that a person reads in the agent's window when the pool cannot serve. */
export function exhaustionSentence({ pool, members, retryAt, first, remedy }: Exhaustion, now: At): string {
  const one = members === 1
  const all = one ? 'its only member' : `all ${members} members`
  if (retryAt === null) {
    const command = remedy ?? `spillway cred login ${first ?? 'NAME'}`
    return `${pool} is exhausted: ${all} ${one ? 'needs' : 'need'} a person. See spillway status, then run: ${command}`
  }
  const recovery = first === null ? 'The first recovers' : `${first} recovers first`
  const cooling = `${all} ${one ? 'is' : 'are'} cooling`
  return `${pool} is exhausted: ${cooling}. ${recovery}, at ${clockTime(retryAt, now)}.`
}

/** `14:05 UTC`, the minute in which it has happened; with the date when that is a day or more away. */
function clockTime(at: At, now: At): string {
  const iso = new Date(Math.ceil(at / minuteMs) * minuteMs).toISOString()
  const time = `${iso.slice(11, 16)} UTC`
  return at - now < dayMs ? time : `${iso.slice(0, 10)} ${time}`
}
