import { type Guard, Refusal } from '../../internal/ops/ops.ts'

/** A guard of nothing: every job may start, and no name is known. */
export function unguarded(): Guard {
  const unknown = async (name: string) => {
    throw new Refusal('not-found', `nothing is named ${name}`)
  }
  return {
    status: async () => ({ budgets: [], hotPaths: [], workers: [] }),
    probe: unknown,
    enforce: async () => [],
    recover: unknown,
    turn: unknown,
    frame: async () => ({ paths: [], breakers: [], reserveBytes: 'auto' }),
    evidence: async () => ({
      at: '',
      since: '',
      paths: [],
      disk: { freeBytes: null, reserveBytes: null, fullAt: null },
      breaker: null,
    }),
    admit: async () => ({ verdict: 'go' }),
  }
}
