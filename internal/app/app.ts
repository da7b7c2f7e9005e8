/**
 * The composition root: builds the adapters, starts and stops them in order, and hands the command line what it needs.
 * Everything of the outside (clock, disk, environment, log) comes in here and is passed down as an argument.
 */
import type { Daemon, DaemonDeps } from './daemon/daemon.ts'

export { programPort } from './commands/program.ts'
export type { Daemon, DaemonDeps } from './daemon/daemon.ts'
export { placesOf } from './places.ts'

/** Starts a daemon in this process; what it takes is loaded only by those who start one. */
export async function startDaemon(parts: DaemonDeps): Promise<Daemon> {
  const daemon = await import('./daemon/daemon.ts')
  return daemon.startDaemon(parts)
}
