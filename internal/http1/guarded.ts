import type { EventEmitter } from 'node:events'

/**
 * Returns the same emitter with a listener for `error` that stays: an error without a listener ends the process. Every raw
 * connection passes through here when it is accepted, opened, or put around the handle of another. That a connection broke
 * is noticed by its `close`.
 */
export function guarded<T extends EventEmitter>(emitter: T): T {
  return emitter.on('error', ignore)
}

function ignore(): void {}
