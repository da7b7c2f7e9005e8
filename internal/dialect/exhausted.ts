import type { At } from '../pool/pool.ts'
import { minuteInUtc } from '../when/when.ts'
import { answer } from './answers.ts'
import type { ClientKind } from './clients.ts'
import type { Exhaustion, LocalAnswer } from './port.ts'

/** How a shape says that a pool cannot serve; each of the clients measured stops there and shows the sentence. */
export type Exhausted = (exhaustion: Exhaustion, now: At, client: ClientKind) => LocalAnswer

const secondMs = 1_000

/** What an answer says, in seconds, when nobody can recover without a person (docs/signals.md, "The exhausted answer"). */
const personSeconds = 3_600

/** Claude Code fails at once from 61 s on and sleeps through anything shorter (docs/signals.md, "The exhausted answer"). */
const leastForClaude = 61

/** `usage_limit_reached` of OpenAI's shape, `insufficient_quota` for those who heed 402. */
export const openaiExhausted: Exhausted = (exhaustion, now, client) => {
  const code = 'insufficient_quota'
  if (client === 'heeds-402') {
    return answer(402, { error: { type: code, code, message: numberless(exhaustion, now), param: null } }, null)
  }
  const seconds = waitSeconds(exhaustion, now)
  const error = {
    type: 'usage_limit_reached',
    code,
    message: sentence(exhaustion, now),
    resets_at: Math.ceil((exhaustion.retryAt ?? now + seconds * secondMs) / secondMs),
    resets_in_seconds: seconds,
    param: null,
  }
  return answer(429, { error }, seconds)
}

/** `rate_limit_error` of Anthropic's shape, `billing_error` for those who heed 402. */
export const anthropicExhausted: Exhausted = (exhaustion, now, client) => {
  if (client === 'heeds-402') {
    const error = { type: 'billing_error', message: numberless(exhaustion, now) }
    return answer(402, { type: 'error', error }, null)
  }
  const error = { type: 'rate_limit_error', message: sentence(exhaustion, now) }
  return answer(429, { type: 'error', error }, Math.max(leastForClaude, waitSeconds(exhaustion, now)))
}

/** `RESOURCE_EXHAUSTED` of Gemini's shape, `FAILED_PRECONDITION` for those who heed 402. */
export const geminiExhausted: Exhausted = (exhaustion, now, client) => {
  if (client === 'heeds-402') {
    const error = { code: 402, status: 'FAILED_PRECONDITION', message: numberless(exhaustion, now) }
    return answer(402, { error }, null)
  }
  const seconds = waitSeconds(exhaustion, now)
  // Gemini CLI reads the wait from the body only (docs/signals.md, "The exhausted answer").
  const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${seconds}s` }]
  const error = { code: 429, status: 'RESOURCE_EXHAUSTED', message: sentence(exhaustion, now), details }
  return answer(429, { error }, seconds)
}

/** How long until somebody can serve, in whole seconds, at least 1; one hour when a person must act first. */
function waitSeconds({ retryAt }: Exhaustion, now: At): number {
  return retryAt === null ? personSeconds : Math.max(1, Math.ceil((retryAt - now) / secondMs))
}

/**
 * The sentence that a person reads in the agent's window. Its words decide, too: qwen-code stops on "quota", "exceeded"
 * and "will reset", pi on "quota exceeded".
 */
function sentence(exhaustion: Exhaustion, now: At): string {
  const { pool, members, retryAt, first } = exhaustion
  const whole = { pool, all: members === 1 ? 'its only member' : `all ${members} members`, one: members === 1 }
  if (retryAt === null) {
    const command = exhaustion.remedy ?? `spillway cred login ${first ?? 'NAME'}`
    return `${needing(whole)} See spillway status, then run: ${command}`
  }
  const whose = first === null ? '' : whole.one ? ` (${first})` : ` (${first} first)`
  return `${cooling(whole)} It will reset at ${minuteInUtc(retryAt, now)}${whose}.`
}

/** opencode takes an error for a passing one when these digits stand anywhere in its body. */
const retried = /429|50[0234]|524/

/** The sentence, without the names and the count where they would make opencode ask again: a pool of 500, a member `key-429`. */
function numberless(exhaustion: Exhaustion, now: At): string {
  const whole = sentence(exhaustion, now)
  if (!retried.test(whole)) return whole
  const nobody = { pool: 'pool', all: 'all its members', one: false }
  const { retryAt } = exhaustion
  if (retryAt === null) return `${needing(nobody)} See spillway status.`
  return `${cooling(nobody)} It will reset at ${minuteInUtc(retryAt, now)}.`
}

interface Whole {
  readonly pool: string
  readonly all: string
  /** Whether `all` is one. */
  readonly one: boolean
}

function cooling({ pool, all, one }: Whole): string {
  return `${pool} quota exceeded: ${all} ${one ? 'is' : 'are'} cooling.`
}

function needing({ pool, all, one }: Whole): string {
  return `${pool} quota exceeded: ${all} ${one ? 'needs' : 'need'} a person, nothing will reset before.`
}
