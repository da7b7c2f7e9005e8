import { createHash, randomBytes } from 'node:crypto'
import type { Clock } from '../clock/clock.ts'
import type { Html } from './html.ts'

const linkMs = 5 * 60_000
/** How long a session lasts, and its cookie. */
export const sessionMs = 12 * 3_600_000
/** Of each; the oldest goes when there are more. */
const most = 100

/** What one browser is let in with. */
export interface Session {
  readonly expiresAt: number
  /** What the next page says once, such as what a verb did. */
  flash: Html | null
}

/** The links that wait to be used and the sessions that came of them; in memory only, so a restart ends them all. */
export interface Sessions {
  link(): { readonly token: string; readonly expiresAt: number }
  /** The secret of a new session for a link that is used for the first time and in time; null for any other. */
  redeem(token: string): string | null
  find(secret: string): Session | null
  end(secret: string): void
  clear(): void
}

/** No links and no sessions yet. Only digests are kept, so that nobody who reads the memory of a table gets in. */
export function createSessions(clock: Clock): Sessions {
  const links = new Map<string, number>()
  const sessions = new Map<string, Session>()

  function fresh<T>(table: Map<string, T>, entry: T): string {
    const oldest = table.keys().next().value
    if (table.size >= most && oldest !== undefined) table.delete(oldest)
    const secret = randomBytes(32).toString('base64url')
    table.set(digest(secret), entry)
    return secret
  }

  return {
    link() {
      const expiresAt = clock.now() + linkMs
      return { token: fresh(links, expiresAt), expiresAt }
    },
    redeem(token) {
      const key = digest(token)
      const expiresAt = links.get(key)
      links.delete(key)
      if (expiresAt === undefined || expiresAt <= clock.now()) return null
      return fresh(sessions, { expiresAt: clock.now() + sessionMs, flash: null })
    },
    find(secret) {
      const key = digest(secret)
      const found = sessions.get(key)
      if (!found) return null
      if (found.expiresAt > clock.now()) return found
      sessions.delete(key)
      return null
    },
    end: (secret) => void sessions.delete(digest(secret)),
    clear() {
      links.clear()
      sessions.clear()
    },
  }
}

/** A table that is looked up by digests tells nothing by how long a look-up takes. */
function digest(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url')
}
