import type { Closed, Health } from './member.ts'

/**
 * What a person has to do so that a credential serves again: log in, enable it, give it another secret, or look at what is
 * wrong with the source of its secret. The shells phrase it as a command.
 */
export interface Remedy {
  readonly verb: 'login' | 'enable' | 'replace' | 'show'
  /** The credential. */
  readonly name: string
}

/** The remedy of a credential that waits for a person; null when it waits for nobody. */
export function remedyFor(name: string, health: Closed): Remedy
export function remedyFor(name: string, health: Health): Remedy | null
export function remedyFor(name: string, health: Health): Remedy | null {
  switch (health.state) {
    case 'needs-login':
      return { verb: 'login', name }
    case 'unreadable':
      return { verb: 'show', name }
    case 'disabled':
      // What an upstream has closed for good does not come back by being let in again.
      return { verb: health.by === 'upstream' ? 'replace' : 'enable', name }
    case 'healthy':
    case 'cooling':
    case 'suspect':
    case 'probing':
      return null
  }
}
