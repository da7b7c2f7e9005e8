import { StoreError } from '../../store/store.ts'
import type { Call } from '../verb.ts'
import type { DoctorRow } from './row.ts'

/** Slower than this, changes of one replica reach the others late. */
const slowMs = 100

/** The database that replicas share: which one, how it is reached, and whether replicas hear of one another's changes. */
export async function storeRows({ store }: Call): Promise<DoctorRow[]> {
  if (store.shared === null) return []
  const ok = (message: string): DoctorRow => ({ check: 'store', state: 'ok', message, hint: null })
  try {
    const { label, server, encrypted, latencyMs, isPooled } = await store.shared.health()
    const message = `PostgreSQL ${server} at ${label}, ${encrypted ? 'encrypted' : 'in clear'}, answers in ${latencyMs.toFixed(1)} ms`
    if (isPooled) return [{ ...ok(`${message}; a connection pooler in transaction mode stands in between`), ...pooled }]
    return [latencyMs < slowMs ? ok(message) : { ...ok(message), ...slow }]
  } catch (error) {
    return [unanswered('store', error)]
  }
}

const pooled = {
  state: 'warn',
  hint: 'replicas hear of changes by a sweep only: connect to the database itself, or use session mode',
} as const
const slow = { state: 'warn', hint: 'a database on the same network answers in a few milliseconds' } as const

/** The row of a check that the store did not answer; any other error is thrown on. */
export function unanswered(check: string, error: unknown): DoctorRow {
  if (!(error instanceof StoreError)) throw error
  return { check, state: 'fail', message: error.message, hint: error.hint }
}
