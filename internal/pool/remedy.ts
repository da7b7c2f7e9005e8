import type { Health } from './member.ts'

type Closed = Extract<Health, { state: 'needs-login' | 'disabled' }>

/** What to type so that a credential that waits for a person serves again; null when it waits for nobody. */
export function remedyFor(name: string, health: Closed): string
export function remedyFor(name: string, health: Health): string | null
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
