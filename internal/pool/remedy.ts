import type { Health } from '../pool/pool.ts'

/** What to type so that a credential that waits for a person serves again; null when it waits for nobody. */
export function remedyFor(name: string, health: Health): string | null {
  switch (health.state) {
    case 'needs-login':
      // A secret that cannot be read is no matter of logging in: its source has to be mended.
      return `spillway cred ${health.reason === 'unreadable' ? 'show' : 'login'} ${name}`
    case 'disabled':
      return `spillway cred enable ${name}`
    case 'healthy':
    case 'cooling':
    case 'suspect':
    case 'probing':
      return null
  }
}
