import { isClosed, remedyFor } from '../../pool/pool.ts'
import { typed } from '../hint.ts'
import type { Call } from '../verb.ts'
import type { DoctorRow } from './row.ts'

/** A row for each credential that a person must look after, by name; one with a problem that still serves is a warning. */
export function credentialRows({ engine, credentials }: Call): DoctorRow[] {
  const all = new Map(engine.credentials().map(({ record, health }) => [record.name, health]))
  const problems = new Map(credentials.problems().map(({ credential, message }) => [credential, message]))
  const names = [...new Set([...all.keys(), ...problems.keys()])].sort((a, b) =>
    a.localeCompare(b, 'en', { numeric: true }),
  )
  return names.flatMap((name) => {
    const health = all.get(name)
    const message = problems.get(name)
    const closed = health !== undefined && isClosed(health) ? health : null
    if (message === undefined && closed === null) return []
    return {
      check: `credential ${name}`,
      state: health?.state === 'healthy' ? 'warn' : 'fail',
      message: message ?? `${closed?.state} (${closed?.reason}): it serves nobody`,
      hint: (closed && typed(remedyFor(name, closed))) ?? `spillway cred show ${name}`,
    }
  })
}
