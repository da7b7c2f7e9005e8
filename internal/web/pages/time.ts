import { span } from '../../when/when.ts'

/** An instant as seen from another, both in ms: `in 4 min`, `2 h ago`, `now`. The browser says it anew each second. */
export function relative(at: number, now: number): string {
  const left = at - now
  if (Math.abs(left) < 1_000) return 'now'
  return left > 0 ? `in ${span(left)}` : `${span(-left)} ago`
}
