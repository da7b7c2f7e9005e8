import type { Refusal, Remedy } from '../pool/pool.ts'

/** The hint of a refusal as a person reads it. */
export function phrasedHint(hint: Refusal['hint']): string | null {
  if (hint === null || typeof hint === 'string') return hint
  if ('name' in hint) return typed(hint)
  switch (hint.verb) {
    case 'add-member':
      return `spillway pool add ${hint.pool} MEMBER`
    case 'explain':
      return `spillway pool explain ${hint.pool}`
    case 'set-upstream':
      return `give the pool one: spillway pool set ${hint.pool} upstream=https://…`
  }
}

/** The remedy as a person types it. */
export function typed(remedy: Remedy): string
export function typed(remedy: Remedy | null): string | null
export function typed(remedy: Remedy | null): string | null {
  return remedy && `spillway cred ${remedy.verb} ${remedy.name}`
}
