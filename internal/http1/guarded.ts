import type { EventEmitter } from 'node:events'

/**
 * What is given, with a listener for its errors that nobody takes away: an error without one would end the process. Every
 * raw connection passes through here before anything can happen to it: accepted, opened, or put around a handle in place
 * of another. That a connection broke is noticed by its close.
 */
export function guarded<T extends EventEmitter>(emitter: T): T {
  return emitter.on('error', ignore)
}

function ignore(): void {}
