import { parseDuration } from '../config/config.ts'
import { type At, Refusal } from '../pool/pool.ts'

/** RFC 3339 with a zone; a bare date is midnight UTC. */
const instantPattern = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/i

/** The instant that a text such as `2h` (ago) or `2026-01-05T14:00:00Z` means; refuses what is neither. */
export function sinceWhen(text: string, now: At): At {
  const at = instantPattern.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(at)) return at
  const ago = parseDuration(text.replace(/\s+ago$/, ''))
  if (ago === null)
    throw new Refusal('invalid', `${JSON.stringify(text)} is no time`, 'examples: 2h, 3d, 2026-01-05T14:00:00Z')
  return now - ago
}
