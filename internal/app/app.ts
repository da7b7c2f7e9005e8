/**
 * The composition root: builds the adapters, starts and stops them in order, and hands the command line its world.
 * Everything of the outside (clock, disk, environment, log) comes in here and is passed down as an argument.
 */
export { type Daemon, type DaemonParts, startDaemon } from './daemon.ts'
export { placesOf } from './places.ts'
export { programPort } from './program.ts'
