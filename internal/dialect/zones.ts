import type { At } from '../pool/pool.ts'

const secondMs = 1_000
const dayMs = 86_400_000

const pacific = new Intl.DateTimeFormat('en-US', {
  timeZone: 'America/Los_Angeles',
  hourCycle: 'h23',
  hour: 'numeric',
  minute: 'numeric',
  second: 'numeric',
})

/** China's time, which its providers use in sentences: minutes east of UTC. */
export const beijing = 8 * 60

/** The next midnight in California, when Google's daily quotas begin anew (Gemini API documentation, "Rate limits"). */
export function pacificMidnight(now: At): At {
  const next = now + dayMs - sinceMidnight(now)
  // On a day with 23 or 25 hours that is 1:00 or 23:00.
  const late = sinceMidnight(next)
  return late < dayMs / 2 ? next - late : next + dayMs - late
}

function sinceMidnight(at: At): number {
  const parts = pacific.formatToParts(at)
  const number = (type: string) => Number(parts.find((part) => part.type === type)?.value)
  return ((number('hour') * 60 + number('minute')) * 60 + number('second')) * secondMs + (at % secondMs)
}
