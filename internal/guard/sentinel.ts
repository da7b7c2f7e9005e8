import { join } from 'node:path'
import type { SystemCalls } from './system-calls.ts'

/** The sentinel file of a worker or hot path: the one of the configuration, or one in the data directory. */
export function sentinelOf(name: string, configured: string | null, data: string): string {
  return configured ?? join(data, 'guard', `${name}.enabled`)
}

/** Whether automation is on. A file that cannot be looked at counts as none: automation is off when in doubt. */
export async function isEnabled(system: Pick<SystemCalls, 'look'>, sentinel: string): Promise<boolean> {
  try {
    return (await system.look(sentinel)) !== null
  } catch {
    return false
  }
}
