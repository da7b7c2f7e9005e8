import type { Health } from '../member.ts'
import type { At, Reason } from '../outcome.ts'
import { isLong, type Usage, windowMs } from './usage.ts'

/** Which logins are asked how much of their limits is used: none, those that wait for a far reset, or all. */
export type LookMode = 'off' | 'cooling' | 'all'

/** What a look at one login depends on. */
export interface LookFacts {
  readonly health: Health
  /** When it was last asked; 0: never. */
  readonly lookedAt: At
  /** When an answer last told of its limits; 0: never. */
  readonly heardAt: At
  /** From 0 to 1, the same for one login: so that logins are not asked all at once. */
  readonly spread: number
}

/** A reset that is nearer than this is waited for, in ms. */
export const farMs = 900_000
/** What a usage endpoint can tell about. */
const limits: ReadonlySet<Reason> = new Set<Reason>(['rate-limited', 'burst', 'quota', 'plan', 'model-quota'])

/** Whether the gate is shut by a limit that is said to last long. */
export function isFar(health: Health, now: At): boolean {
  const cooling = health.state === 'probing' ? health.was : health
  return cooling.state === 'cooling' && limits.has(cooling.reason) && cooling.until - now > farMs
}

/** When the login is to be asked next, at most every `everyMs`; Infinity: not for now. */
export function lookDueAt(facts: LookFacts, { mode, everyMs }: { mode: LookMode; everyMs: number }, now: At): At {
  const { health, lookedAt, heardAt, spread } = facts
  if (mode === 'off') return Number.POSITIVE_INFINITY
  if (isFar(health, now)) {
    const { since } = health.state === 'probing' ? health.was : (health as Extract<Health, { since: At }>)
    return Math.max(since + everyMs * (1 / 3 + (2 / 3) * spread), lookedAt === 0 ? 0 : lookedAt + everyMs)
  }
  const isWell = health.state === 'healthy' || health.state === 'cooling'
  return mode === 'all' && isWell ? Math.max(lookedAt, heardAt) + everyMs : Number.POSITIVE_INFINITY
}

/** Whether what was found shows that there is room in every limit of the whole plan; a guess is none. */
export function isBack(usage: readonly Usage[], isAllowed: boolean | null): boolean {
  const whole = usage.filter(({ isPartial, window }) => !isPartial && isLong(window))
  return isAllowed !== false && whole.length > 0 && whole.every(({ usedPercent }) => usedPercent < 100)
}

/** Whether what was found shows that there is room in the limits of one model family. */
export function isFamilyBack(usage: readonly Usage[], family: string): boolean {
  const own = usage.filter((one) => one.family === family)
  return own.length > 0 && own.every(({ usedPercent }) => usedPercent < 100)
}

/** The window that had been used up, or the longest there is; null where none is known. */
export function resetWindow(before: readonly Usage[], usage: readonly Usage[]): string | null {
  const full = new Set(before.filter(({ usedPercent }) => usedPercent >= 100).map(({ window }) => window))
  const long = usage.filter(({ window }) => isLong(window))
  const own = long.filter(({ window }) => full.has(window))
  const [longest] = (own.length > 0 ? own : long.filter(({ isPartial }) => !isPartial)).toSorted(
    (one, other) => (windowMs(other.window) as number) - (windowMs(one.window) as number),
  )
  return longest?.window ?? null
}
