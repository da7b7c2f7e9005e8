/** What a process takes beside the CPU: memory, and how often the system has to wake it. */
import { readdirSync, readFileSync } from 'node:fs'

/** The memory of a process in bytes. */
export interface Memory {
  /** With its part of what it shares with other processes (`node` itself, if another one runs). */
  readonly proportional: number
  readonly resident: number
  /** Its own alone. */
  readonly own: number
}

export function memoryOf(pid: number): Memory {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(rollup)?.[1] ?? Number.NaN) * 1_024
  return { proportional: bytes('Pss'), resident: bytes('Rss'), own: bytes('Pss_Anon') }
}

/** How often the threads of a process have waited for something and were woken, so far. */
export function wakeUpsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, tid) => {
    const status = readFileSync(`/proc/${pid}/task/${tid}/status`, 'utf8')
    return sum + Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1] ?? 0)
  }, 0)
}
